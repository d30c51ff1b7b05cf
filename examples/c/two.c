/* A C program with two libraries written in Ruff, which share a runtime if they
 * are archives and have one each if they are shared. */
#include "prices.h"
#include "rules.h"

#include <inttypes.h>
#include <stdio.h>

int main(void) {
    ruff_context *rules = NULL, *prices = NULL;
    struct ruff_prices_Price price = {1.2345, {"EUR", 3}}, rounded;
    ruff_string greeting;
    ruff_value *text;
    int64_t number;
    ruff_status status;
    if (ruff_context_new(ruff_library_rules(), RUFF_ABI_VERSION, NULL, &rules) != RUFF_OK ||
        ruff_context_new(ruff_library_prices(), RUFF_ABI_VERSION, NULL, &prices) != RUFF_OK)
        return 1;
    if (ruff_prices_rounded(prices, &price, &rounded) != RUFF_OK ||
        ruff_rules_greeting(rules, "you two", 7, &greeting) != RUFF_OK ||
        ruff_prices_double_it(prices, 21, &number) != RUFF_OK)
        return 1;
    printf("%.2f %.*s, %" PRId64 "\n", rounded.amount, (int)rounded.currency.length,
           rounded.currency.data, number);
    printf("%.*s\n", (int)greeting.length, greeting.data);

    /* A value belongs to its context. */
    text = ruff_value_string(prices, "text", 4);
    status = ruff_rules_show(rules, text);
    printf("status %d: %s\n", (int)status, ruff_error_message(rules));
    ruff_value_release(text);
    ruff_context_free(rules);
    ruff_context_free(prices);
    return 0;
}
