#include "shapes.h"

#include <stdlib.h>
#include <string.h>

struct shape {
    enum kind kind;
    double size;
};

shape *shape_new(enum kind kind, double size) {
    shape *it = malloc(sizeof *it);
    it->kind = kind;
    it->size = size;
    return it;
}
void shape_free(shape *it) { free(it); }
double shape_area(const shape *it) { return it->size * it->size * (it->kind == CIRCLE ? 3.0 : 1.0); }
const char *shape_name(const shape *it, bool loud) {
    return it == NULL ? NULL : it->kind == CIRCLE ? (loud ? "CIRCLE" : "circle") : "square";
}
int32_t shape_compare(const shape *left, const shape *right) {
    return (left->size > right->size) - (left->size < right->size);
}
float half(float number) { return number / 2; }
uint64_t large(void) { return UINT64_MAX; }
byte low(unsigned short number) { return (byte)number; }
signed char sign(long number) { return number < 0 ? -1 : number > 0; }
size_t text_length(const char *text) { return text == NULL ? 0 : strlen(text); }
long match(int from) { return from + 1L; }
void each(shape *it, void (*action)(shape *), measure how) {
    (void)how;
    if (action != NULL)
        action(it);
}
