/* Two threads with a context each, then one context that goes from thread to
 * thread. */
#include "rules.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#define ROUNDS 2000

static ruff_context *start(void) {
    ruff_context *context = NULL;
    if (ruff_context_new(ruff_library_rules(), RUFF_ABI_VERSION, NULL, &context) != RUFF_OK)
        fprintf(stderr, "%s", ruff_error_report(context));
    return context;
}

/* Looks at orders in a context; gives how many it has looked at. */
static int64_t work(ruff_context *context, int rounds) {
    struct ruff_rules_Order order = {1, 200.0, false, {"bob", 3}}, after;
    int64_t count = -1;
    int round;
    for (round = 0; round < rounds; round++)
        if (ruff_rules_priced(context, &order, &after) != RUFF_OK || after.total != 180.0)
            return -1;
    ruff_rules_count(context, &count);
    return count;
}

static void *alone(void *result) {
    ruff_context *context = start();
    *(int64_t *)result = work(context, ROUNDS);
    ruff_context_free(context);
    return NULL;
}

static void *next(void *context) {
    work((ruff_context *)context, 1);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    int64_t results[2] = {0, 0}, depth = 0;
    ruff_context *context, *other;
    int turn;

    for (turn = 0; turn < 2; turn++)
        pthread_create(&threads[turn], NULL, alone, &results[turn]);
    for (turn = 0; turn < 2; turn++)
        pthread_join(threads[turn], NULL);
    printf("two threads: %" PRId64 " and %" PRId64 "\n", results[0], results[1]);

    context = start();
    other = start();
    for (turn = 0; turn < 5; turn++) {
        pthread_create(&threads[0], NULL, next, context);
        pthread_join(threads[0], NULL);
        work(turn % 2 == 0 ? context : other, 1);
    }
    printf("from thread to thread: %" PRId64 ", the other %" PRId64 "\n", work(context, 0),
           work(other, 0));

    ruff_rules_depth(context, 3000, &depth);
    printf("depth %" PRId64 "\n", depth);
    ruff_context_free(context);
    ruff_context_free(other);
    return 0;
}
