import sys


def run(n):
    total = 0
    i = 0
    while i < n:
        total += i
        i += 1
    return total


n = int(sys.argv[1]) if len(sys.argv) > 1 else 10000000
print(run(n))
