import { describe, expect, test } from '@jest/globals';
import { functionName, shortName } from '../../src/crash/names.js';

describe('functionName', () => {
  test.each([
    ['read_tile', 'read_tile'],
    ['void foo<int>(int)', 'foo'],
    ['std::function<int (int)>::operator()(int) const', 'std::function::operator()'],
    ['(anonymous namespace)::f(int)', '(anonymous namespace)::f'],
    ['std::ostream& std::operator<< <std::c<char> >(std::ostream&)', 'std::operator<<'],
    ['operator new[](unsigned long)', 'operator new[]'],
    ['X::operator->() const', 'X::operator->'],
    ['X::operator bool() const', 'X::operator bool'],
    ['foo(int)::{lambda(int)#1}::operator()(int) const', 'foo::{lambda#1}::operator()'],
    ['non-virtual thunk to A::b(int)', 'A::b'],
    ['std::string::c_str[abi:cxx11]() const', 'std::string::c_str'],
    ['f(int) [clone .isra.0]', 'f'],
    [
      '<alloc::vec::Vec<T> as core::ops::Index<I>>::index',
      '<alloc::vec::Vec as core::ops::Index>::index',
    ],
    ['_ZN2ui10FlingCurveC2ERKN3gfx9Vector2dE', 'ui::FlingCurve::FlingCurve'],
    ['_ZN4core9panicking5panic17h0123456789abcdefE', 'core::panicking::panic'],
    ['_ZNSt6vectorIiSaIiEE2atEm', 'std::vector::at'],
    ['rs::width::h0123456789abcdef', 'rs::width'],
    ['rs[8f3a1c2d]::width', 'rs::width'],
    ['f.isra.0.cold', 'f'],
    ['std::operator+<char, std::char_traits<char> >', 'std::operator+'],
    ['X::operator+=(int)', 'X::operator+='],
    ['bool operator==<int>(X<int> const&)', 'operator=='],
    ["v8::`anonymous namespace'::f", 'v8::(anonymous namespace)::f'],
    ['a > b<(c)>', 'b'],
    [
      '<fn(u8) -> u8 as core::ops::FnOnce<(u8,)>>::call_once',
      '<fn ->u8 as core::ops::FnOnce>::call_once',
    ],
    ['demo::map<fn(i32) -> i32>::next', 'demo::map::next'],
    ['static Picture.Decoder.decode(from: Swift.Int) throws -> ()', 'Picture.Decoder.decode'],
    ['closure #1 (Swift.Int) -> () in Picture.Decoder.rows() -> ()', 'Picture.Decoder.rows'],
    ['<unknown module>', ''],
    ['/usr/lib/libz.so', ''],
    ['Content Shell Framework', ''],
    ['??', ''],
  ])('%s is %s', (text, name) => {
    expect(functionName(text)).toBe(name);
  });
});

describe('shortName', () => {
  test.each([
    ['png::Reader::row', 'row'],
    ['row', 'row'],
    ['LLVMFuzzerTestOneInput::$_0::operator()', 'LLVMFuzzerTestOneInput'],
    ['rs::parse::{{closure}}', 'parse'],
    ['foo::{lambda#1}::operator()', 'foo'],
    ['operator()', 'operator()'],
  ])('of %s is %s', (name, short) => expect(shortName(name)).toBe(short));
});
