/* The tree as canonical YAML: the form that is hashed and that run.json shows. */
#include "engine/scenario/document.h"
#include "engine/scenario/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    struct arena *arena;
    char *text;
    size_t size, room;
};

static void write_bytes(struct writer *writer, const char *bytes, size_t size)
{
    if (writer->size + size + 1 > writer->room) {
        size_t room = (writer->size + size + 1) * 2;
        char *wider = arena_take(writer->arena, room);
        if (writer->size)
            memcpy(wider, writer->text, writer->size);
        writer->text = wider;
        writer->room = room;
    }
    memcpy(writer->text + writer->size, bytes, size);
    writer->size += size;
    writer->text[writer->size] = '\0';
}

static void write_text(struct writer *writer, const char *text)
{
    write_bytes(writer, text, strlen(text));
}

/* Whether a text reads back as itself without quotes, in a block map or list. */
static bool is_plain(const char *text)
{
    size_t size = strlen(text);
    if (!size || strchr(",[]{}#&*!|>'\"%@` ", text[0]) || strchr(" :", text[size - 1]))
        return false;
    if (strchr("-?:", text[0]) && strchr(" ", text[1]))
        return false;
    return !strstr(text, ": ") && !strstr(text, " #");
}

/* At the beginning of a line these separate documents. */
static bool is_separator(const char *text)
{
    return (!strncmp(text, "---", 3) || !strncmp(text, "...", 3)) && strchr(" ", text[3]);
}

static bool has_special(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size;) {
        uint32_t code;
        size_t length = text_decode(text + i, size - i, &code);
        if (!length || text_is_control(code))
            return true;
        i += length;
    }
    return false;
}

static void write_quoted(struct writer *writer, const char *text)
{
    size_t size = strlen(text);
    write_text(writer, "\"");
    for (size_t i = 0; i < size;) {
        uint32_t code;
        size_t length = text_decode(text + i, size - i, &code);
        char escape[16];
        if (length && (code == '"' || code == '\\')) {
            snprintf(escape, sizeof escape, "\\%c", (int)code);
            write_text(writer, escape);
        } else if (length && text_is_control(code)) {
            snprintf(escape, sizeof escape, "\\u%04X", (unsigned)code);
            write_text(writer, escape);
        } else {
            length = length ? length : 1;
            write_bytes(writer, text + i, length);
        }
        i += length;
    }
    write_text(writer, "\"");
}

/* A quoted text stays quoted: quotes keep it from being a number, a word or a `$name`. */
static void write_scalar(struct writer *writer, const struct node *node)
{
    if (node->quoted || !is_plain(node->text) || has_special(node->text))
        write_quoted(writer, node->text);
    else
        write_text(writer, node->text);
}

static void write_break(struct writer *writer, uint32_t indent)
{
    write_text(writer, "\n");
    for (uint32_t i = 0; i < indent; i++)
        write_text(writer, "  ");
}

/* Writes a tree whose first line has begun: a map's first pair stands where the cursor is. */
static void write_node(struct writer *writer, const struct node *node, uint32_t indent)
{
    if (node->type == NODE_SCALAR) {
        write_scalar(writer, node);
        return;
    }
    if (!node->count) {
        write_text(writer, node->type == NODE_MAP ? "{}" : node->type == NODE_LIST ? "[]" : "~");
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *item = node->items[i];
        if (i)
            write_break(writer, indent);
        if (node->type == NODE_LIST) {
            write_text(writer, "- ");
            write_node(writer, item, indent + 1);
            continue;
        }
        /* A key may span one line only, and none longer than 1024 bytes without its `? `. */
        if (strlen(node->keys[i]->text) > 900)
            write_text(writer, "? ");
        if (!indent && is_separator(node->keys[i]->text))
            write_quoted(writer, node->keys[i]->text);
        else
            write_scalar(writer, node->keys[i]);
        if (strlen(node->keys[i]->text) > 900)
            write_break(writer, indent);
        write_text(writer, ":");
        if (item->count)
            write_break(writer, indent + 1);
        else
            write_text(writer, " ");
        write_node(writer, item, indent + 1);
    }
}

const char *document_canonical(const struct document *document, const struct node *tree)
{
    struct writer writer = {.arena = document->arena};
    write_node(&writer, tree, 0);
    write_text(&writer, "\n");
    return writer.text;
}
