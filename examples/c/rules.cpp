// A C++ program that asks rules written in Ruff.
#include "rules.h"

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// A context that is freed with its owner, and errors as exceptions.
class Rules {
public:
    Rules() {
        ruff_context *made = nullptr;
        ruff_status status =
            ruff_context_new(ruff_library_rules(), RUFF_ABI_VERSION, nullptr, &made);
        context.reset(made);
        check(status);
    }

    double tax(const std::string &goods, double price) {
        double result = 0;
        check(ruff_rules_tax(context.get(), goods.data(), goods.size(), price, &result));
        return result;
    }

    std::string greeting(const std::string &name) {
        ruff_string result;
        check(ruff_rules_greeting(context.get(), name.data(), name.size(), &result));
        return std::string(result.data, result.length);
    }

    std::vector<int64_t> running_sums(const std::vector<int64_t> &values) {
        ruff_ints result;
        check(ruff_rules_running_sums(context.get(), values.data(), values.size(), &result));
        return std::vector<int64_t>(result.data, result.data + result.length);
    }

private:
    struct Free {
        void operator()(ruff_context *context) const { ruff_context_free(context); }
    };

    void check(ruff_status status) {
        if (status != RUFF_OK)
            throw std::runtime_error(ruff_error_message(context.get()));
    }

    std::unique_ptr<ruff_context, Free> context;
};

int main() {
    Rules rules;
    std::cout << rules.greeting("C++") << std::endl;
    for (int64_t sum : rules.running_sums({1, 2, 3}))
        std::cout << sum << std::endl;
    try {
        std::cout << rules.tax("books", 20) << std::endl;
        rules.tax("boats", 20);
    } catch (const std::exception &error) {
        std::cout << "error: " << error.what() << std::endl;
    }
}
