#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Node {
    struct Node *child[26];
    int64_t passing, ending;
} Node;

static Node *root;
static int64_t nodes;

static Node *new_node(void) {
    nodes++;
    return calloc(1, sizeof(Node));
}

static void add_word(const char *word) {
    Node *at = root;
    for (const char *p = word; *p; p++) {
        Node **next = &at->child[*p - 'a'];
        if (!*next) *next = new_node();
        at = *next;
        at->passing++;
    }
    at->ending++;
}

static const Node *find_node(const char *word, size_t length) {
    const Node *at = root;
    for (size_t i = 0; i < length && at; i++) at = at->child[word[i] - 'a'];
    return at;
}

static int64_t count_prefix(const char *prefix, size_t length) {
    const Node *node = find_node(prefix, length);
    return node ? node->passing : 0;
}

static bool has_word(const char *word) {
    const Node *node = find_node(word, strlen(word));
    return node && node->ending > 0;
}

static int64_t seed = 8;

static int64_t next_random(int64_t limit) {
    seed = (seed * 3877 + 29573) % 139968;
    return seed * limit / 139968;
}

static void random_word(char *word, int64_t parts) {
    static const char *const syllables[12] = {"ka", "lo", "mir", "ten", "su", "ri",
                                              "bo", "an", "pel", "do",  "e",  "sha"};
    *word = '\0';
    for (int64_t i = 0; i < parts; i++) {
        const char *s = syllables[next_random(12)];
        size_t k = strlen(s);
        memcpy(word, s, k + 1);
        word += k;
    }
}

static void release(Node *node) {
    if (!node) return;
    for (int i = 0; i < 26; i++) release(node->child[i]);
    free(node);
}

int main(int argc, char **argv) {
    int64_t total = argc > 1 ? atoll(argv[1]) : 400000;
    char word[32];
    root = new_node();
    for (int64_t i = 0; i < total; i++) {
        random_word(word, 2 + next_random(3));
        add_word(word);
    }
    int64_t known = 0, matches = 0;
    for (int64_t i = 0; i < total; i++) {
        random_word(word, 2 + next_random(3));
        if (has_word(word)) known++;
        size_t length = strlen(word);
        matches = (matches + count_prefix(word, length < 4 ? length : 4)) % 1000003;
    }
    printf("nodes: %" PRId64 "\n", nodes);
    printf("known: %" PRId64 "\n", known);
    printf("matches: %" PRId64 "\n", matches);
    printf("kalo*: %" PRId64 " zz*: %" PRId64 "\n", count_prefix("kalo", 4), count_prefix("zz", 2));
    release(root);
    return 0;
}
