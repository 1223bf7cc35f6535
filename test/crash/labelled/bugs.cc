// Bugs of many kinds for trying how crashes are grouped. The first byte of an input
// picks the bug, the rest is its data; the number of a bug is its label.
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>
#include <unistd.h>

typedef const uint8_t *Bytes;
static volatile int sink;
// No compiler may know what is null or 0 here: as in real bugs, the input decides it.
static volatile int zero;
static volatile char *volatile place;

// Helpers that several bugs share, as in real programs.
[[noreturn]] static void flush_logs_and_die() { abort(); }
[[noreturn]] static void report_fatal(const char *text) {
  fprintf(stderr, "app: %s\n", text);
  flush_logs_and_die();
}
#define REQUIRE(condition) \
  do { if (!(condition)) report_fatal("requirement failed: " #condition); } while (0)
static void copy_bytes(char *to, const char *from, size_t n) { for (size_t i = 0; i < n; i++) ((volatile char *)to)[i] = from[i]; }
static uint32_t read_u32(volatile const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }
template <class T> static T *allocate(size_t n) { return (T *)calloc(n, sizeof(T)); }

namespace image {
struct Header {
  char *name = allocate<char>(16);
  std::vector<int> widths{1, 2, 3};
  void set_name(Bytes d, size_t n) { copy_bytes(name, (const char *)d, n + 5000000); }
  int width(size_t i) { return widths.at(i + 10); }
  void magic(Bytes d) { assert(d[0] == 255); }
  void version(Bytes d) { assert(d[0] + d[1] == 1000); }
};
struct Palette {
  int *colours = allocate<int>(4);
  int colour(size_t i) { return ((volatile int *)colours)[i * 4000000 + 9000000]; }
  void release() { free(colours); }
  void release_twice() { release(); release(); }
  int after_release() { int *kept = colours; release(); return kept[0]; }
};
struct Decoder {
  virtual ~Decoder() {}
  virtual int decode(Bytes d) = 0;
};
struct GifDecoder : Decoder { int decode(Bytes d) override { int *volatile table = nullptr; return table[d[0] & 7]; } };
struct PngDecoder : Decoder { int decode(Bytes d) override { return 1000 / zero; } };
static int run_decoder(Decoder &decoder, Bytes d) { int v = decoder.decode(d); sink = v; return v + 1; }
}  // namespace image

namespace text {
struct Node { Node *volatile next = nullptr; volatile int value = 0; };
static int depth_of(Bytes d, int n) { volatile char page[256]; page[0] = (char)n; return depth_of(d, n + 1) + page[0]; }
static int parse_list(Bytes d, int n);
static int parse_item(Bytes d, int n) { volatile char page[300]; page[0] = (char)n; return parse_list(d, n + 1) + page[0]; }
static int parse_list(Bytes d, int n) { volatile char page[200]; page[0] = (char)n; return parse_item(d, n + 1) + page[0]; }
static int last_value(Node *node) { while (node->value == 0) node = node->next; return node->value; }
static std::string quote(Bytes d, size_t n) { std::string s((const char *)d, n); return s.substr(n + 40); }
static int number(Bytes d, size_t n) { return std::stoi("x" + std::string((const char *)d, n)); }
static void reject(Bytes d) { throw std::runtime_error("bad token " + std::to_string(d[0])); }
static void reject_number(Bytes d) { throw d[0]; }
static void expect_open(Bytes d) { REQUIRE(d[0] == 1 && d[1] == 1); }
static void expect_close(Bytes d) { REQUIRE(d[0] == 2 && d[1] == 2); }
static void expect_comma(Bytes d) { report_fatal(d[0] & 1 ? "comma missing" : "comma missing"); }
static int compare(const void *a, const void *b) { return *(const int *)a - **(int *const *)b; }
static void sort_words(Bytes d) { intptr_t words[4] = {4, 3, 2, 1}; qsort(words, 4, sizeof words[0], compare); sink = (int)words[0]; }
static void sort_lines(Bytes d) {
  std::vector<const int *> lines{nullptr, nullptr, nullptr};
  std::sort(lines.begin(), lines.end(), [](const int *a, const int *b) { return *a < *b; });
}
}  // namespace text

namespace net {
struct Session { int id = 7; std::function<int(int)> on_read; };
struct Pool {
  std::map<int, Session *> sessions;
  Session *volatile last = nullptr;
  Session *find(int id) { auto found = sessions.find(id); if (found != sessions.end()) last = found->second; return last; }
  int id_of(int id) { return find(id)->id; }
  void rename(int id) { find(id + 1)->id = 9; }
};
static int call_handler(Bytes d) { Session s; int *target = nullptr; s.on_read = [target](int v) { return *target + v; }; return s.on_read(d[0]); }
static int length_field(Bytes d) { return (int)read_u32(d + 0x7000000000); }
static int offset_field(Bytes d) { return (int)read_u32((Bytes)(uintptr_t)(d[0] & 3)) + 1; }
static void fill(Bytes d, size_t n) { char *b = allocate<char>(8); memset(b, d[0], n + 8000000); place = b; }
static void concat(Bytes d, size_t n) { char *b = allocate<char>(4); std::string s(3000000, 'x'); strcpy(b, s.c_str()); place = b; }
static void shrink(Bytes d, size_t n) { char *b = allocate<char>(64); size_t left = n - 100; memmove(b, b + 1, left); place = b; }
static void release_middle(Bytes d) { char *b = allocate<char>(64); free(b + 16); }
static void release_stack(Bytes d) { char b[64]; place = b; free((void *)place); }
static void release_after(Bytes d) { char *b = allocate<char>(64); free(b); place = (char *)realloc(b, 128); }
static void illegal(Bytes d) { if (d[0] != zero) { sink = 4; __builtin_trap(); } }
static void stop(Bytes d) { if (d[0] != 0) abort(); }
static void finish(Bytes d) { if (d[0] != 0) exit(7); }
static void spin(Bytes d) { for (volatile unsigned i = 0;; i++) sink = (int)i; }
static void spin_hash(Bytes d) { volatile unsigned h = d[0]; while (h != 0 || sink != 77) h = h * 33 + 1; }
static void reserve(Bytes d) { std::vector<char> v; v.resize((size_t)d[0] << 48); sink = v[0]; }
static int table[8];
static int slot(Bytes d) { return table[d[0] * 1000000 + 5000000]; }
static int frame_slot(Bytes d) { volatile int local[4] = {1}; return local[d[0] * 200000 + 900000]; }
struct Job { virtual ~Job() { finish_job(); } void finish_job() { run(); } virtual void run() = 0; };
struct PrintJob : Job { void run() override { sink = 1; } };
static void end_job(Bytes d) { std::unique_ptr<Job> job(new PrintJob); job.reset(); }
static void jump(Bytes d) { void (*target)(int) = (void (*)(int))(uintptr_t)(d[0] * 16); target(1); sink = 3; }
static int nested(Bytes d) { image::Palette p; std::vector<int> v{1, 2}; v.clear(); v.shrink_to_fit(); return v.front() + p.colours[0]; }
static int optional_value(Bytes d) { std::string *volatile found = nullptr; std::unique_ptr<std::string> s(found); return (int)s->size(); }
static void string_copy(Bytes d) { std::string *volatile s = nullptr; std::string t = *s + "x"; sink = (int)t.size(); }
}  // namespace net

// Steps between the dispatcher and a bug; they do something after the call.
static void header_section(int bug, Bytes d, size_t n) {
  image::Header header;
  switch (bug) {
    case 1: header.set_name(d, n); break;
    case 2: sink = header.width(d[0]); break;
    case 3: header.magic(d); break;
    case 4: header.version(d); break;
  }
  sink = sink + 1;
}
static void palette_section(int bug, Bytes d, size_t n) {
  image::Palette palette;
  image::GifDecoder gif;
  image::PngDecoder png;
  char *tail = allocate<char>(8);
  switch (bug) {
    case 5: sink = palette.colour(d[0]); break;
    case 6: palette.release_twice(); break;
    case 7: sink = palette.after_release(); break;
    case 8: sink = run_decoder(gif, d); break;
    case 9: sink = run_decoder(png, d); break;
    case 10: copy_bytes(tail, (const char *)d, n + 6000000); break;
  }
  sink = sink + 1;
}
static void text_section(int bug, Bytes d, size_t n) {
  text::Node node;
  switch (bug) {
    case 11: sink = text::depth_of(d, 0); break;
    case 12: sink = text::parse_list(d, 0); break;
    case 13: sink = text::last_value(&node); break;
    case 14: sink = (int)text::quote(d, n).size(); break;
    case 15: sink = text::number(d, n); break;
    case 16: text::reject(d); break;
    case 17: text::reject_number(d); break;
    case 18: text::expect_open(d); break;
    case 19: text::expect_close(d); break;
    case 20: text::expect_comma(d); break;
    case 21: text::sort_words(d); break;
    case 22: text::sort_lines(d); break;
  }
  sink = sink + 1;
}
static void net_section(int bug, Bytes d, size_t n) {
  net::Pool pool;
  switch (bug) {
    case 23: sink = pool.id_of(d[0]); break;
    case 24: pool.rename(d[0]); break;
    case 25: sink = net::call_handler(d); break;
    case 26: sink = net::length_field(d); break;
    case 27: sink = net::offset_field(d); break;
    case 28: net::fill(d, n); break;
    case 29: net::concat(d, n); break;
    case 30: net::shrink(d, n); break;
    case 31: net::release_middle(d); break;
    case 32: net::release_stack(d); break;
    case 33: net::release_after(d); break;
    case 34: net::illegal(d); break;
    case 35: net::stop(d); break;
    case 36: net::finish(d); break;
    case 37: net::spin(d); break;
    case 38: net::reserve(d); break;
    case 39: sink = net::slot(d); break;
    case 40: sink = net::frame_slot(d); break;
    case 41: net::end_job(d); break;
    case 42: net::jump(d); break;
    case 43: sink = net::nested(d); break;
    case 44: sink = net::optional_value(d); break;
    case 45: net::string_copy(d); break;
  }
  sink = sink + 1;
}

static void read_record(Bytes d, size_t n) {
  int bug = d[0];
  if (bug <= 4) header_section(bug, d + 1, n - 1);
  else if (bug <= 10) palette_section(bug, d + 1, n - 1);
  else if (bug <= 22) text_section(bug, d + 1, n - 1);
  else net_section(bug, d + 1, n - 1);
  sink = sink + 2;
}
// Two ways to a record: alone, and inside of a block.
static void read_block(Bytes d, size_t n) { read_record(d + 1, n - 1); sink = sink + 3; }
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n) {
  if (n < 4) return 0;
  if (d[0] == 200) read_block(d, n);
  else read_record(d, n);
  return 0;
}
