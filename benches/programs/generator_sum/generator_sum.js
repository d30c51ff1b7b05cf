function* numbers(n) {
  let i = 0;
  while (i < n) {
    yield i;
    i++;
  }
}

function run(n) {
  let sum = 0;
  for (const x of numbers(n)) sum += x;
  return sum;
}

const n = process.argv.length > 2 ? parseInt(process.argv[2], 10) : 10000000;
console.log(run(n));
