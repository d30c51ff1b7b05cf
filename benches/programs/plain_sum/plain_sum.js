function run(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += i;
  return sum;
}

const n = process.argv.length > 2 ? parseInt(process.argv[2], 10) : 10000000;
console.log(run(n));
