#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char name[8];
    int64_t age;
    double score;
} Person;

typedef bool (*Less)(void *env, const Person *a, const Person *b);

static Person *make_people(int64_t count) {
    static const char *const heads[8] = {"An", "Bo", "Cla", "Di", "El", "Fra", "Gu", "Ha"};
    static const char *const tails[8] = {"na", "ris", "ra", "mon", "la", "da", "ter", "vid"};
    Person *people = malloc(count * sizeof *people);
    int64_t seed = 555;
    for (int64_t i = 0; i < count; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        Person *p = &people[i];
        strcpy(p->name, heads[seed % 8]);
        strcat(p->name, tails[seed / 8 % 8]);
        p->age = seed / 64 % 80 + 10;
        p->score = seed % 1000 / 8.0;
    }
    return people;
}

static void insertion_sort(Person *a, int64_t n, Less less, void *env) {
    for (int64_t i = 1; i < n; i++) {
        Person item = a[i];
        int64_t j = i - 1;
        while (j >= 0 && less(env, &item, &a[j])) {
            a[j + 1] = a[j];
            j--;
        }
        a[j + 1] = item;
    }
}

static void sort_range(Person *a, Person *tmp, int64_t n, Less less, void *env) {
    if (n <= 8) {
        insertion_sort(a, n, less, env);
        return;
    }
    int64_t mid = n / 2;
    sort_range(a, tmp, mid, less, env);
    sort_range(a + mid, tmp + mid, n - mid, less, env);
    memcpy(tmp, a, n * sizeof *a);
    int64_t i = 0, j = mid, k = 0;
    while (i < mid && j < n) {
        if (less(env, &tmp[j], &tmp[i])) {
            a[k++] = tmp[j++];
        } else {
            a[k++] = tmp[i++];
        }
    }
    while (i < mid) a[k++] = tmp[i++];
    while (j < n) a[k++] = tmp[j++];
}

static Person *merge_sort(const Person *list, int64_t n, Less less, void *env) {
    Person *a = malloc(n * sizeof *a), *tmp = malloc(n * sizeof *tmp);
    memcpy(a, list, n * sizeof *a);
    sort_range(a, tmp, n, less, env);
    free(tmp);
    return a;
}

static bool name_less(void *env, const Person *a, const Person *b) {
    ++*(int64_t *)env;
    int c = strcmp(a->name, b->name);
    if (c == 0) return a->age < b->age;
    return c < 0;
}

static bool age_less(void *env, const Person *a, const Person *b) {
    if (*(bool *)env) return a->age > b->age;
    return a->age < b->age;
}

static bool score_less(void *env, const Person *a, const Person *b) {
    (void)env;
    return a->score < b->score;
}

static int64_t digest(const Person *p, int64_t n) {
    int64_t h = 0;
    for (int64_t i = 0; i < n; i++) h = (h * 31 + p[i].age * 1000 + (int64_t)(p[i].score * 8.0)) % 1000003;
    return h;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 200000;
    Person *people = make_people(n);
    int64_t calls = 0;
    Person *by_name = merge_sort(people, n, name_less, &calls);
    printf("%s %s %" PRId64 " %" PRId64 "\n", by_name[0].name, by_name[n - 1].name, digest(by_name, n), calls);
    bool descending = true, ascending = false;
    Person *oldest = merge_sort(people, n, age_less, &descending);
    Person *youngest = merge_sort(by_name, n, age_less, &ascending);
    printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", oldest[0].age, youngest[0].age, digest(oldest, n),
           digest(youngest, n));
    Person *by_score = merge_sort(people, n, score_less, NULL);
    printf("%" PRId64 "\n", digest(by_score, n));
    free(people);
    free(by_name);
    free(oldest);
    free(youngest);
    free(by_score);
    return 0;
}
