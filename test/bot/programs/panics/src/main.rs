//! Four bugs, each a panic in a function of its own: two of one assertion, two of one unwrap.
#![no_main]
use libfuzzer_sys::fuzz_target;
use std::hint::black_box;

#[inline(never)]
fn set_columns(value: u8) {
    assert_eq!(value % 4, 1, "columns");
}

#[inline(never)]
fn set_offset(value: u8) {
    assert_eq!(value % 5, 2, "offset");
}

#[inline(never)]
fn read_title(bytes: &[u8]) -> usize {
    std::str::from_utf8(bytes).unwrap().len()
}

#[inline(never)]
fn read_last(bytes: &[u8]) -> u8 {
    *bytes.get(12).unwrap()
}

fuzz_target!(|data: &[u8]| {
    if data.len() < 2 {
        return;
    }
    match data[0] {
        b'C' => set_columns(data[1]),
        b'O' => set_offset(data[1]),
        b'T' => drop(black_box(read_title(&data[1..]))),
        b'L' => drop(black_box(read_last(data))),
        _ => {}
    }
});
