#ifndef RUFF_API_H
#define RUFF_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef RUFF_API
#define RUFF_API extern
#endif

/* The version of this interface.  `ruff_abi_version` gives the version that is
 * linked, which must be the same; `ruff_context_new` makes sure of it.
 */
#define RUFF_ABI_VERSION 1
RUFF_API uint32_t ruff_abi_version(void);

/* ---- Libraries and contexts
 *
 * A context is one run of a library, with variables of its own.  There may be
 * any number of them, which have nothing to do with each other.  A context may
 * go from thread to thread, but is used by one at a time; a call into it runs
 * on the stack of the thread that makes it.
 */
typedef struct ruff_library ruff_library;
typedef struct ruff_context ruff_context;
typedef struct ruff_value ruff_value;

/* How a call went.  Unless it is RUFF_OK, no result is stored, and the
 * context's error says why.
 */
typedef int32_t ruff_status;
enum {
    RUFF_OK = 0,
    RUFF_RAISED = 1,   /* the program raised an error and did not catch it */
    RUFF_EXITED = 2,   /* the program called `exit`: see `ruff_exit_status` */
    RUFF_MISMATCH = 3, /* a value is not of the type that a declaration promises */
    RUFF_MISUSE = 4,   /* the call is wrong, or the context's program did not start */
    RUFF_VERSION = 5   /* header, library and runtime are of different versions */
};

/* Text in UTF-8, not ended by a NUL. */
typedef struct ruff_string {
    const char *data;
    size_t length;
} ruff_string;
typedef struct ruff_ints {
    const int64_t *data;
    size_t length;
} ruff_ints;
typedef struct ruff_floats {
    const double *data;
    size_t length;
} ruff_floats;

/* Takes what a program prints: whole lines, mostly. */
typedef void (*ruff_write)(void *data, const char *text, size_t length);

/* How a context begins. */
typedef struct ruff_options {
    ruff_write output; /* NULL: standard output */
    void *output_data;
    int arg_count; /* what `args()` gives */
    const char *const *args;
} ruff_options;

/* Makes a context and runs the library's top level.  `version` is
 * RUFF_ABI_VERSION; `options` may be NULL.  If this fails, the context is made
 * all the same: it holds the error, and is to be freed.
 */
RUFF_API ruff_status ruff_context_new(const ruff_library *library, uint32_t version,
                                      const ruff_options *options, ruff_context **context);

/* Ends a context, with all its values. */
RUFF_API void ruff_context_free(ruff_context *context);

/* Where the program prints from now on; NULL is standard output. */
RUFF_API void ruff_context_output(ruff_context *context, ruff_write output, void *data);

/* ---- Exported functions
 *
 * Strings and arrays are a pointer and a number of elements in arguments, and
 * a struct of these two in results.  What a result points at belongs to the
 * context, and is there until the next call into it.  A result's pointer may be
 * NULL if nobody wants it.  A `ruff_value` that is a result is to be released.
 *
 * `ruff_call_named` calls an exported function by its name in Ruff, and
 * `ruff_call` any function value.
 */
RUFF_API ruff_status ruff_call_named(ruff_context *context, const char *name,
                                     const ruff_value *const *args, size_t count,
                                     ruff_value **result);
RUFF_API ruff_status ruff_call(ruff_context *context, const ruff_value *function,
                               const ruff_value *const *args, size_t count, ruff_value **result);

/* ---- The error of the last call that failed
 *
 * Texts end with a NUL, and are there until the next call that fails.
 */
RUFF_API const char *ruff_error_message(ruff_context *context);
RUFF_API const char *ruff_error_code(ruff_context *context);
/* What an executable would print: message, place and call stack. */
RUFF_API const char *ruff_error_report(ruff_context *context);
/* Where the error was raised; an empty name and 0 if that is not known. */
RUFF_API const char *ruff_error_file(ruff_context *context);
RUFF_API uint32_t ruff_error_line(ruff_context *context);
RUFF_API uint32_t ruff_error_column(ruff_context *context);
/* The functions that were active, the innermost first. */
RUFF_API size_t ruff_error_frames(ruff_context *context);
RUFF_API const char *ruff_error_frame(ruff_context *context, size_t index);
/* What was thrown, to be released; NULL if the program has raised nothing. */
RUFF_API ruff_value *ruff_error_value(ruff_context *context);
/* What the program gave `exit`.  The context can be called again. */
RUFF_API int32_t ruff_exit_status(ruff_context *context);

/* ---- Values
 *
 * Each function that gives a `ruff_value *` gives the caller a share of it, to
 * be released; NULL if it can't.  A value belongs to its context, and ends with
 * it at the latest.
 */
RUFF_API ruff_value *ruff_value_null(ruff_context *context);
RUFF_API ruff_value *ruff_value_bool(ruff_context *context, bool value);
RUFF_API ruff_value *ruff_value_int(ruff_context *context, int64_t value);
RUFF_API ruff_value *ruff_value_float(ruff_context *context, double value);
RUFF_API ruff_value *ruff_value_string(ruff_context *context, const char *text, size_t length);
RUFF_API ruff_value *ruff_value_ints(ruff_context *context, const int64_t *data, size_t length);
RUFF_API ruff_value *ruff_value_floats(ruff_context *context, const double *data, size_t length);
RUFF_API ruff_value *ruff_value_array(ruff_context *context);
RUFF_API ruff_value *ruff_value_dict(ruff_context *context);

/* Another share of a value, and giving one up. */
RUFF_API ruff_value *ruff_value_retain(ruff_value *value);
RUFF_API void ruff_value_release(ruff_value *value);

typedef int32_t ruff_kind;
enum {
    RUFF_NULL = 0,
    RUFF_BOOL = 1,
    RUFF_INT = 2,
    RUFF_FLOAT = 3,
    RUFF_STRING = 4,
    RUFF_ARRAY = 5,
    RUFF_DICT = 6,
    RUFF_STRUCT = 7,
    RUFF_FUNCTION = 8,
    RUFF_OTHER = 9
};
RUFF_API ruff_kind ruff_value_kind(const ruff_value *value);

/* What a value is, if it is of that kind; an int is a float too. */
RUFF_API bool ruff_value_to_bool(const ruff_value *value, bool *result);
RUFF_API bool ruff_value_to_int(const ruff_value *value, int64_t *result);
RUFF_API bool ruff_value_to_float(const ruff_value *value, double *result);
/* The value's own bytes or elements, there as long as it is and not changed;
 * NULL if it is no string, or no array that holds nothing else.
 */
RUFF_API const char *ruff_value_to_string(const ruff_value *value, size_t *length);
RUFF_API const int64_t *ruff_value_to_ints(const ruff_value *value, size_t *length);
RUFF_API const double *ruff_value_to_floats(const ruff_value *value, size_t *length);
/* The string that `print` would show. */
RUFF_API ruff_value *ruff_value_text(const ruff_value *value);

/* Bytes of a string, elements, entries or fields; 0 of anything else. */
RUFF_API size_t ruff_value_length(const ruff_value *value);
RUFF_API ruff_value *ruff_array_get(const ruff_value *array, size_t index);
RUFF_API bool ruff_array_push(ruff_value *array, const ruff_value *element);
RUFF_API ruff_value *ruff_dict_get(const ruff_value *dict, const char *key, size_t length);
RUFF_API bool ruff_dict_set(ruff_value *dict, const char *key, size_t length,
                            const ruff_value *value);
/* An entry, in the order of insertion; both are to be released. */
RUFF_API bool ruff_dict_entry(const ruff_value *dict, size_t index, ruff_value **key,
                              ruff_value **value);
RUFF_API ruff_value *ruff_field(const ruff_value *structure, const char *name, size_t length);

/* ---- C functions for the program
 *
 * A function gets `data` and its arguments, which it does not release; it
 * stores a result, which it gives up, or none for null.  To raise an error it
 * returns what `ruff_raise` gives, or the status of a call that failed.
 * `destroy` is called with `data` when the context is freed, unless it is NULL.
 */
typedef ruff_status (*ruff_function)(ruff_context *context, void *data,
                                     const ruff_value *const *args, size_t count,
                                     ruff_value **result);
RUFF_API ruff_value *ruff_value_function(ruff_context *context, ruff_function function,
                                         void *data, void (*destroy)(void *data));
RUFF_API ruff_status ruff_raise(ruff_context *context, const char *message);

#ifdef __cplusplus
}
#endif

#endif /* RUFF_API_H */
