const fs = require('fs');
const folder = process.argv[2];
const npy = fs.readFileSync(`${folder}/lat.npy`);
const values = npy.subarray(10 + npy.readUInt16LE(8));
let sum = 0;
for (let i = 0; i < values.length; i += 8) sum += values.readDoubleLE(i);
const lines = fs.readFileSync(`${folder}/tzone.txt`, 'utf8').trimEnd().split('\n');
console.log(values.length / 8, sum.toFixed(6), new Set(lines).size);
