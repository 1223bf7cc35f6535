/*
 * The demo fuzz target: a renderer of PTIL, a small picture format made up for
 * it, with four bugs planted (bugs.json lists them). MIT, like all of PandaFuzz.
 *
 *   file   "PTIL" chunk*
 *   chunk  type length payload[length]     a type, a char and a pixel are one byte,
 *                                          all else two bytes, big-endian
 *
 *   'N'    char*                           a name, a-z, at most 20 bytes; "/" ends a line
 *   'P'    (red green blue)*               a palette, in place of the one before
 *   'B'    colour                          dip the brush into a colour of the palette
 *   'T'    slot width height pixel*        a tile
 *   'L'    parent tile mask                the next layer; "--": no parent, no mask
 *   'D'    layer op                        (p)aint, (b)lend, (m)ask or (x) discard it
 *
 * Each bug has a function to itself, kept out of line, so that all crashes of a
 * bug share their kind and top frame. The functions stand in the order of how
 * much of the format an input must get right to reach them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OUT_OF_LINE __attribute__((noinline))

enum { NAME_BYTES = 20, SCANLINE_BYTES = 8192 };
enum { MAX_SLOTS = 4, MAX_LAYERS = 8, MAX_SIDE = 16, NONE = '-' << 8 | '-' };

struct tile {
  uint8_t *pixels; /* NULL: an empty slot */
  size_t width, height;
};

struct layer {
  unsigned parent, tile, mask;
};

struct picture {
  uint8_t *name;
  size_t name_length;
  uint8_t *palette;
  size_t palette_bytes, capacity;
  const uint8_t *brush; /* points into the palette */
  struct tile tiles[MAX_SLOTS];
  struct layer layers[MAX_LAYERS];
  unsigned layer_count;
  unsigned checksum; /* of what was drawn, so that no read is optimised away */
};

/* Bug 1: a line's end takes two bytes, where the caller saw to room for one. */
static OUT_OF_LINE void put_line_end(struct picture *picture) {
  picture->name[picture->name_length++] = '\r';
  picture->name[picture->name_length++] = '\n';
}

/* Bug 2: the palette that the brush points into may have been replaced. */
static OUT_OF_LINE void paint(struct picture *picture, const struct tile *tile) {
  for (size_t x = 0; x < tile->width; x++)
    picture->checksum += *picture->brush ^ tile->pixels[x];
}

/*
 * Bug 3: layers may be each other's parents. Returns how many columns it drew.
 * The scanline makes a frame so large that some 1000 of them fill 8 MiB of stack.
 */
static OUT_OF_LINE size_t blend(const struct picture *picture, size_t index, uint8_t *out) {
  uint8_t below[SCANLINE_BYTES];
  const struct layer *layer = &picture->layers[index];
  const struct tile *tile = &picture->tiles[layer->tile];
  size_t columns = 0;
  if (layer->parent < picture->layer_count) columns = blend(picture, layer->parent, below);
  for (size_t x = 0; x < tile->width; x++)
    out[x] = x < columns ? (below[x] + tile->pixels[x]) / 2 : tile->pixels[x];
  return tile->width;
}

/* Bug 4: the mask's slot may have been discarded, its pixels NULL. */
static OUT_OF_LINE void draw_masked(struct picture *picture, const struct tile *tile, const struct tile *mask) {
  uint8_t see_through = mask->pixels[0];
  for (size_t x = 0; x < tile->width && x < mask->width; x++)
    if (mask->pixels[x] != see_through) picture->checksum += tile->pixels[x];
}

static void discard(struct tile *tile) {
  free(tile->pixels);
  *tile = (struct tile){0};
}

static unsigned number(const uint8_t *bytes) { return (unsigned)bytes[0] << 8 | bytes[1]; }

static bool read_name(struct picture *picture, const uint8_t *name, size_t length) {
  if (picture->name == NULL) picture->name = malloc(NAME_BYTES);
  picture->name_length = 0;
  for (size_t i = 0; i < length; i++) {
    if (picture->name_length >= NAME_BYTES) return false;
    if (name[i] == '\\' && i + 1 < length && name[i + 1] == 'n')
      put_line_end(picture), i++;
    else if (name[i] >= 'a' && name[i] <= 'z')
      picture->name[picture->name_length++] = name[i];
    else
      return false;
  }
  return true;
}

static bool read_palette(struct picture *picture, const uint8_t *colours, size_t length) {
  if (length % 3 != 0) return false;
  if (length > picture->capacity) {
    free(picture->palette);
    picture->palette = malloc(length);
    picture->capacity = length;
  }
  for (size_t i = 0; i < length; i++)
    picture->palette[i] = colours[i];
  picture->palette_bytes = length;
  return true;
}

static bool read_brush(struct picture *picture, const uint8_t *payload, size_t length) {
  if (length != 2 || 3 * number(payload) >= picture->palette_bytes) return false;
  picture->brush = &picture->palette[3 * number(payload)];
  return true;
}

static bool read_tile(struct picture *picture, const uint8_t *payload, size_t length) {
  if (length < 6 || number(payload) >= MAX_SLOTS) return false;
  struct tile *tile = &picture->tiles[number(payload)];
  unsigned width = number(payload + 2), height = number(payload + 4), size = width * height;
  if (width > MAX_SIDE || height > MAX_SIDE || size == 0 || size != length - 6) return false;

  discard(tile);
  *tile = (struct tile){malloc(size), width, height};
  for (size_t i = 0; i < size; i++)
    tile->pixels[i] = payload[6 + i];
  return true;
}

static bool is_filled(const struct picture *picture, unsigned slot) {
  return slot < MAX_SLOTS && picture->tiles[slot].pixels != NULL;
}

static bool read_layer(struct picture *picture, const uint8_t *payload, size_t length) {
  if (length != 6 || picture->layer_count == MAX_LAYERS) return false;
  struct layer layer = {number(payload), number(payload + 2), number(payload + 4)};
  if (layer.parent == picture->layer_count) return false; /* itself */
  if (layer.parent < picture->layer_count && picture->layers[layer.parent].parent == picture->layer_count) return false;
  if (!is_filled(picture, layer.tile)) return false;
  if (layer.mask != NONE && !is_filled(picture, layer.mask)) return false;
  picture->layers[picture->layer_count++] = layer;
  return true;
}

static bool draw(struct picture *picture, const uint8_t *payload, size_t length) {
  if (length != 3 || number(payload) >= picture->layer_count) return false;
  const struct layer *layer = &picture->layers[number(payload)];
  struct tile *tile = &picture->tiles[layer->tile];
  uint8_t scanline[MAX_SIDE];
  if (tile->pixels == NULL) return false;
  switch (payload[2]) {
    case 'p':
      if (picture->brush == NULL) return false;
      paint(picture, tile);
      return true;
    case 'b':
      blend(picture, number(payload), scanline);
      picture->checksum += scanline[0];
      return true;
    case 'm':
      if (layer->mask == NONE || layer->parent == NONE) return false;
      draw_masked(picture, tile, &picture->tiles[layer->mask]);
      return true;
    case 'u':
      if (layer->mask == NONE) return false;
      discard(&picture->tiles[layer->mask]);
      return true;
    default:
      return false;
  }
}

static bool read_chunk(struct picture *picture, uint8_t type, const uint8_t *payload, size_t length) {
  switch (type) {
    case 'N': return read_name(picture, payload, length);
    case 'P': return read_palette(picture, payload, length);
    case 'B': return read_brush(picture, payload, length);
    case 'T': return read_tile(picture, payload, length);
    case 'L': return read_layer(picture, payload, length);
    case 'D': return draw(picture, payload, length);
    default: return false;
  }
}

static void read_picture(struct picture *picture, const uint8_t *data, size_t size) {
  if (size < 4 || memcmp(data, "PTIL", 4) != 0) return;
  for (size_t at = 4; at + 3 <= size;) {
    size_t length = number(&data[at + 1]);
    const uint8_t *payload = &data[at + 3];
    if (length > size - at - 3 || !read_chunk(picture, data[at], payload, length)) return;
    at += 3 + length;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct picture picture = {0};
  read_picture(&picture, data, size);
  free(picture.name);
  free(picture.palette);
  for (size_t i = 0; i < MAX_SLOTS; i++)
    free(picture.tiles[i].pixels);
  static volatile unsigned sink;
  sink = picture.checksum;
  return 0;
}
