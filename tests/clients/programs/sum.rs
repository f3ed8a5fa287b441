use std::{collections::HashSet, env, fs};

fn main() {
    let folder = env::args().nth(1).unwrap();
    let npy = fs::read(format!("{folder}/lat.npy")).unwrap();
    let header = u16::from_le_bytes([npy[8], npy[9]]) as usize;
    let values: Vec<f64> = npy[10 + header..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    let text = fs::read_to_string(format!("{folder}/tzone.txt")).unwrap();
    let distinct: HashSet<&str> = text.lines().collect();
    println!("{} {:.6} {}", values.len(), values.iter().sum::<f64>(), distinct.len());
}
