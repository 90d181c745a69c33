#include "engine/scenario/text.h"

#include <string.h>

size_t text_decode(const char *text, size_t size, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)text[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (!length || length > size || lead >= 0xF8)
        return 0;
    uint32_t value = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (next & 0x3Fu);
    }
    if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
        return 0;
    *code = value;
    return length;
}

size_t text_count(const char *text, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; count++) {
        uint32_t code;
        size_t length = text_decode(text + i, size - i, &code);
        i += length ? length : 1;
    }
    return count;
}

bool text_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xFEFF;
}

char *text_printable(struct arena *arena, const char *text, size_t size)
{
    /* A bad byte grows to the three bytes of U+FFFD; nothing else grows. */
    char *copy = arena_take_array(arena, size + 1, 3);
    char *end = copy;
    for (size_t i = 0; i < size;) {
        uint32_t code;
        size_t length = text_decode(text + i, size - i, &code);
        if (!length) {
            memcpy(end, "\xEF\xBF\xBD", 3);
            end += 3;
            i += 1;
            continue;
        }
        if (text_is_control(code)) {
            *end++ = code == '\t' ? ' ' : '?';
        } else {
            memcpy(end, text + i, length);
            end += length;
        }
        i += length;
    }
    return copy;
}
