/*
 * The demo fuzz target: a renderer of PTIL, a small picture format made up for
 * it, with four bugs planted (bugs.json lists them). MIT, like all of PandaFuzz.
 *
 *   file   "PTIL" chunk*
 *   chunk  type length payload[length]
 *
 *   'N'    char*                       a name: a-z, "\n" ends a line; at most 20 bytes
 *   'P'    (red green blue)*           a palette, in place of the one before
 *   'B'    colour                      dip the brush into a colour of the palette
 *   'T'    slot width height pixel*    a tile
 *   'L'    parent tile mask            the next layer; "--": no parent, no mask
 *   'D'    layer op                    do (p)aint, (b)lend, (m)ask or (u)nmask
 *
 * Types, chars, reds, greens, blues, pixels and ops are one byte; all else is two
 * bytes, big-endian. The first thing wrong ends the reading, without an error.
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

/* A name's bytes are no multiple of 16: a heap block without slack may end at an unmapped
 * page, and bug 1 be a SEGV. Some 1000 frames with a scanline each fill a stack of 8 MiB. */
enum { NAME_BYTES = 20, SCANLINE_BYTES = 8192 };
enum { MAX_SLOTS = 4, MAX_LAYERS = 8, MAX_SIDE = 16, NONE = '-' << 8 | '-' };

struct tile {
  uint8_t *pixels; /* NULL: an empty slot */
  unsigned width, height;
};

struct layer {
  unsigned parent, tile, mask;
};

struct picture {
  uint8_t *name, *palette;
  unsigned name_bytes, palette_bytes, layer_count;
  const uint8_t *brush; /* points into the palette */
  struct tile tiles[MAX_SLOTS];
  struct layer layers[MAX_LAYERS];
};

static volatile unsigned canvas; /* what is drawn goes here, lest it be optimised away */

/* Bug 1: a line's end takes two bytes; the caller made sure of one. */
static OUT_OF_LINE void put_line_end(struct picture *picture) {
  picture->name[picture->name_bytes++] = '\r';
  picture->name[picture->name_bytes++] = '\n';
}

/* Bug 2: the palette that the brush points into may have been replaced. */
static OUT_OF_LINE void paint(const struct picture *picture, const struct tile *tile) {
  uint8_t colour = *picture->brush;
  for (unsigned x = 0; x < tile->width; x++) canvas += colour ^ tile->pixels[x];
}

/* Bug 3: a parent may be a later layer, so three may form a ring. Returns the width drawn. */
static OUT_OF_LINE unsigned blend(const struct picture *picture, unsigned index, uint8_t *out) {
  uint8_t below[SCANLINE_BYTES];
  const struct layer *layer = &picture->layers[index];
  const struct tile *tile = &picture->tiles[layer->tile];
  unsigned width = 0;
  if (layer->parent < picture->layer_count) width = blend(picture, layer->parent, below);
  for (unsigned x = 0; x < tile->width; x++)
    out[x] = x < width ? (below[x] + tile->pixels[x]) / 2 : tile->pixels[x];
  return tile->width;
}

/* Bug 4: unmasking has emptied the slot, and the layer still names it. */
static OUT_OF_LINE uint8_t see_through(const struct tile *mask) { return mask->pixels[0]; }

static unsigned number(const uint8_t *bytes) { return (unsigned)bytes[0] << 8 | bytes[1]; }

static bool is_filled(const struct picture *picture, unsigned slot) {
  return slot < MAX_SLOTS && picture->tiles[slot].pixels != NULL;
}

static void empty(struct tile *tile) {
  free(tile->pixels);
  *tile = (struct tile){0};
}

static bool read_name(struct picture *picture, const uint8_t *name, unsigned length) {
  if (picture->name == NULL) picture->name = malloc(NAME_BYTES);
  picture->name_bytes = 0;
  for (unsigned i = 0; i < length; i++) {
    if (picture->name_bytes >= NAME_BYTES) return false;
    if (name[i] == '\\' && i + 1 < length && name[i + 1] == 'n') {
      put_line_end(picture);
      i++;
    } else if (name[i] >= 'a' && name[i] <= 'z') {
      picture->name[picture->name_bytes++] = name[i];
    } else {
      return false;
    }
  }
  return true;
}

static bool read_palette(struct picture *picture, const uint8_t *colours, unsigned length) {
  if (length == 0 || length % 3 != 0) return false;
  free(picture->palette);
  picture->palette = malloc(length);
  picture->palette_bytes = length;
  memcpy(picture->palette, colours, length);
  return true;
}

static bool read_brush(struct picture *picture, const uint8_t *payload, unsigned length) {
  if (length != 2 || 3 * number(payload) >= picture->palette_bytes) return false;
  picture->brush = &picture->palette[3 * number(payload)];
  return true;
}

static bool read_tile(struct picture *picture, const uint8_t *payload, unsigned length) {
  if (length < 6 || number(payload) >= MAX_SLOTS) return false;
  unsigned width = number(payload + 2), height = number(payload + 4);
  if (width == 0 || width > MAX_SIDE || height == 0 || height > MAX_SIDE) return false;
  if (width * height != length - 6) return false;
  struct tile *tile = &picture->tiles[number(payload)];
  empty(tile);
  *tile = (struct tile){malloc(width * height), width, height};
  memcpy(tile->pixels, payload + 6, width * height);
  return true;
}

static bool read_layer(struct picture *picture, const uint8_t *payload, unsigned length) {
  if (length != 6 || picture->layer_count == MAX_LAYERS) return false;
  unsigned self = picture->layer_count;
  struct layer layer = {number(payload), number(payload + 2), number(payload + 4)};
  if (layer.parent == self) return false;
  if (layer.parent < self && picture->layers[layer.parent].parent == self) return false;
  if (!is_filled(picture, layer.tile)) return false;
  if (layer.mask != NONE && !is_filled(picture, layer.mask)) return false;
  picture->layers[self] = layer;
  picture->layer_count++;
  return true;
}

static bool draw(struct picture *picture, const uint8_t *payload, unsigned length) {
  if (length != 3 || number(payload) >= picture->layer_count) return false;
  const struct layer *layer = &picture->layers[number(payload)];
  const struct tile *tile = &picture->tiles[layer->tile];
  uint8_t scanline[MAX_SIDE];
  if (tile->pixels == NULL) return false;
  switch (payload[2]) {
    case 'p':
      if (picture->brush == NULL) return false;
      paint(picture, tile);
      return true;
    case 'b':
      blend(picture, number(payload), scanline);
      canvas += scanline[0];
      return true;
    case 'm':
      if (layer->parent == NONE || layer->mask == NONE) return false;
      if (tile->pixels[0] != see_through(&picture->tiles[layer->mask])) canvas += tile->pixels[0];
      return true;
    case 'u':
      if (layer->mask == NONE) return false;
      empty(&picture->tiles[layer->mask]);
      return true;
    default: return false;
  }
}

static bool read_chunk(struct picture *picture, int type, const uint8_t *payload, unsigned length) {
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4 || memcmp(data, "PTIL", 4) != 0) return 0;
  struct picture picture = {0};
  for (size_t at = 4; at + 3 <= size;) {
    unsigned length = number(&data[at + 1]);
    if (length > size - at - 3 || !read_chunk(&picture, data[at], &data[at + 3], length)) break;
    at += 3 + length;
  }
  free(picture.name);
  free(picture.palette);
  for (unsigned slot = 0; slot < MAX_SLOTS; slot++) empty(&picture.tiles[slot]);
  return 0;
}
