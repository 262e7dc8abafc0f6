//! Looking at processes and at the machine from outside.

pub(crate) mod cpu;
pub(crate) mod machine;
pub(crate) mod memory;
mod proc_file;
mod sampling;

pub(crate) use sampling::sample_while;
