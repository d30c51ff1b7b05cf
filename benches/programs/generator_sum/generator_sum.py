import sys


def numbers(n):
    i = 0
    while i < n:
        yield i
        i += 1


def run(n):
    total = 0
    for x in numbers(n):
        total += x
    return total


n = int(sys.argv[1]) if len(sys.argv) > 1 else 10000000
print(run(n))
