/* What `ruffc bindgen` is tried on. */
#ifndef SHAPES_H
#define SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct shape shape;
typedef double (*measure)(const shape *);
typedef unsigned char byte;
enum kind { CIRCLE, SQUARE };

shape *shape_new(enum kind kind, double size);
void shape_free(shape *it);
double shape_area(const shape *it);
const char *shape_name(const shape *it, bool loud);
int32_t shape_compare(const shape *left, const shape *right);
float half(float number);
uint64_t large(void);
byte low(unsigned short number);
signed char sign(long number);
size_t text_length(const char *text);
long match(int from);
int print_shapes(const char *format, ...);
struct pair { int a, b; };
struct pair both(int a, int b);
void each(shape *it, void (*action)(shape *), measure how);
long double precise(void);
static inline int hidden(int number) { return number; }

#endif
