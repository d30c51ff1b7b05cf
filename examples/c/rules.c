/* A C program that asks rules written in Ruff. */
#include "rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program if a call fails that must not. */
static void check(ruff_context *context, ruff_status status) {
    if (status != RUFF_OK) {
        fprintf(stderr, "%s", ruff_error_report(context));
        exit(1);
    }
}

static void show_error(ruff_context *context, ruff_status status) {
    size_t frame;
    printf("status %d, %s: %s (%s:%u)\n", (int)status, ruff_error_code(context),
           ruff_error_message(context), ruff_error_file(context), ruff_error_line(context));
    for (frame = 0; frame < ruff_error_frames(context) && frame < 3; frame++)
        printf("  in %s\n", ruff_error_frame(context, frame));
}

/* Takes what the program prints. */
static void take_output(void *data, const char *text, size_t length) {
    printf("%s%.*s", (const char *)data, (int)length, text);
}

/* A rule that the program calls: twice the number. */
static ruff_status twice(ruff_context *context, void *data, const ruff_value *const *args,
                         size_t count, ruff_value **result) {
    int64_t number;
    *(int *)data += 1;
    if (count != 1 || !ruff_value_to_int(args[0], &number))
        return ruff_raise(context, "a rule takes one int");
    *result = ruff_value_int(context, 2 * number);
    return RUFF_OK;
}

static void orders(ruff_context *context) {
    struct ruff_rules_Order order = {3, 120.0, true, {"ann", 3}}, after;
    double discount, tax;
    int64_t count;
    check(context, ruff_rules_discount(context, &order, &discount));
    check(context, ruff_rules_tax(context, "tools", 5, 100.0, &tax));
    check(context, ruff_rules_priced(context, &order, &after));
    check(context, ruff_rules_count(context, &count));
    printf("discount %.2f, tax %.2f, %.*s pays %.2f, %" PRId64 " looked at\n", discount, tax,
           (int)after.customer.length, after.customer.data, after.total, count);
}

static void texts_and_arrays(ruff_context *context) {
    const int64_t ints[] = {1, 2, 3, 4};
    const double floats[] = {1.0, 2.5};
    ruff_string text;
    ruff_ints sums;
    double mean;
    check(context, ruff_rules_greeting(context, "world", 5, &text));
    printf("%.*s\n", (int)text.length, text.data);
    check(context, ruff_rules_running_sums(context, ints, 4, &sums));
    printf("%zu sums, the last %" PRId64 "\n", sums.length, sums.data[sums.length - 1]);
    check(context, ruff_rules_mean(context, floats, 2, &mean));
    printf("mean %.2f\n", mean);
}

static void values(ruff_context *context) {
    int calls = 0;
    const int64_t ints[] = {5, 6};
    ruff_value *rule = ruff_value_function(context, twice, &calls, NULL);
    ruff_value *array = ruff_value_ints(context, ints, 2);
    ruff_value *name = ruff_value_string(context, "name", 4);
    ruff_value *dict = ruff_value_dict(context);
    ruff_value *results, *element, *text;
    size_t length;
    int64_t number;
    ruff_status status;

    check(context, ruff_rules_apply(context, rule, array, &results));
    element = ruff_array_get(results, 1);
    ruff_value_to_int(element, &number);
    printf("%zu results, the second %" PRId64 ", %d calls\n", ruff_value_length(results), number,
           calls);

    ruff_dict_set(dict, "results", 7, results);
    ruff_dict_set(dict, "name", 4, name);
    check(context, ruff_rules_show(context, dict));
    text = ruff_value_text(dict);
    printf("text %s\n", ruff_value_to_string(text, &length) != NULL ? "there" : "missing");

    ruff_array_push(array, name);
    status = ruff_rules_apply(context, rule, array, NULL);
    show_error(context, status);

    ruff_value_release(ruff_value_retain(text));
    ruff_value_release(text);
    ruff_value_release(element);
    ruff_value_release(results);
    ruff_value_release(dict);
    ruff_value_release(name);
    ruff_value_release(array);
    ruff_value_release(rule);
}

static void errors(ruff_context *context) {
    ruff_value *text = ruff_value_string(context, "text", 4);
    int64_t sum;
    double tax;
    show_error(context, ruff_rules_tax(context, "boats", 5, 1.0, &tax));
    show_error(context, ruff_rules_add(context, INT64_MAX, 1, &sum));
    show_error(context, ruff_rules_depth(context, 1000000, &sum));
    show_error(context, ruff_rules_promise_broken(context, text, &sum));
    show_error(context, ruff_rules_leave(context, 3));
    printf("exit status %d\n", ruff_exit_status(context));
    check(context, ruff_rules_add(context, 2, 3, &sum));
    printf("and on: %" PRId64 "\n", sum);
    ruff_value_release(text);
}

int main(void) {
    ruff_options options = {take_output, (void *)"| ", 0, NULL};
    ruff_context *context = NULL, *other = NULL;
    ruff_status status;
    int64_t sum, count;
    check(NULL, ruff_abi_version() == RUFF_ABI_VERSION ? RUFF_OK : RUFF_VERSION);
    status = ruff_context_new(ruff_library_rules(), RUFF_ABI_VERSION, &options, &context);
    check(context, status);
    check(context, ruff_rules_add(context, 40, 2, &sum));
    printf("sum %" PRId64 "\n", sum);
    orders(context);
    texts_and_arrays(context);
    values(context);
    errors(context);

    /* Another context knows nothing of this one. */
    status = ruff_context_new(ruff_library_rules(), RUFF_ABI_VERSION, &options, &other);
    check(other, status);
    check(other, ruff_rules_count(other, &count));
    printf("the other one has looked at %" PRId64 "\n", count);
    ruff_context_free(other);
    check(context, ruff_rules_count(context, &count));
    printf("this one at %" PRId64 "\n", count);
    ruff_context_free(context);
    return 0;
}
