// SPDX-License-Identifier: Apache-2.0
#include "agent/screen.h"

#include <stdbool.h>
#include <string.h>
#include <vterm.h>

#include "agent/libve/clean.h"

/* Modes that libvterm does not tell of. */
enum {
	MODE_CURSOR_KEYS = 1,	/* DECCKM, 1 */
	MODE_BRACKETED = 2,	/* paste, 2004 */
};

enum place { IN_TEXT, IN_ESC, IN_CSI, IN_SOFT, IN_PRIVATE };

struct screen {
	VTerm *vt;
	VTermScreen *screen;
	bool alternate, cursor_visible;
	int mouse;
	enum place place; /* of the next byte */
	unsigned number, named; /* of a private sequence: this, those before */
	unsigned modes;
};

static int on_property(VTermProp prop, VTermValue *v, void *arg)
{
	struct screen *s = arg;

	switch (prop) {
	case VTERM_PROP_ALTSCREEN:
		s->alternate = v->boolean;
		break;
	case VTERM_PROP_CURSORVISIBLE:
		s->cursor_visible = v->boolean;
		break;
	case VTERM_PROP_MOUSE:
		s->mouse = v->number;
		break;
	default:
		break;
	}
	return 1;
}

struct screen *screen_create(uint16_t cols, uint16_t rows)
{
	static const VTermScreenCallbacks cb = { .settermprop = on_property };
	struct screen *s = xcalloc(1, sizeof(*s));

	s->vt = vterm_new(rows, cols);
	if (!s->vt)
		abort();
	s->cursor_visible = true;
	vterm_set_utf8(s->vt, 1);
	s->screen = vterm_obtain_screen(s->vt);
	vterm_screen_set_callbacks(s->screen, &cb, s);
	vterm_screen_enable_altscreen(s->screen, 1);
	vterm_screen_reset(s->screen, 1);
	return s;
}

void screen_destroy(struct screen *s)
{
	if (!s)
		return;
	vterm_free(s->vt);
	free(s);
}

static void name_mode(struct screen *s)
{
	if (s->number == 1)
		s->named |= MODE_CURSOR_KEYS;
	else if (s->number == 2004)
		s->named |= MODE_BRACKETED;
	s->number = 0;
}

/* CSI ? number ; number h|l */
static void note_private(struct screen *s, uint8_t c)
{
	if (c >= '0' && c <= '9') {
		s->number = s->number < 10000 ? s->number * 10 + c - '0' : 0;
		return;
	}
	name_mode(s);
	if (c == ';')
		return;
	s->place = c == 0x1b ? IN_ESC : IN_TEXT;
	if (c == 'h')
		s->modes |= s->named;
	else if (c == 'l')
		s->modes &= ~s->named;
}

static void note(struct screen *s, uint8_t c)
{
	if (s->place == IN_PRIVATE) {
		note_private(s, c);
	} else if (c == 0x1b) {
		s->place = IN_ESC;
	} else if (s->place == IN_ESC && c == '[') {
		s->place = IN_CSI;
	} else if (s->place == IN_CSI && c == '!') {
		s->place = IN_SOFT;
	} else if (s->place == IN_CSI && c == '?') {
		s->place = IN_PRIVATE;
		s->number = s->named = 0;
	} else {
		if (s->place == IN_ESC && c == 'c') /* RIS */
			s->modes = 0;
		if (s->place == IN_SOFT && c == 'p') /* DECSTR */
			s->modes &= ~MODE_CURSOR_KEYS;
		s->place = IN_TEXT;
	}
}

void screen_feed(struct screen *s, const void *data, size_t n)
{
	const uint8_t *bytes = data;
	char answers[256];

	for (size_t i = 0; i < n; i++)
		note(s, bytes[i]);
	vterm_input_write(s->vt, data, n);
	/* what it would answer to queries is the real terminal's to say */
	while (vterm_output_read(s->vt, answers, sizeof(answers)) > 0)
		continue;
}

void screen_resize(struct screen *s, uint16_t cols, uint16_t rows)
{
	vterm_set_size(s->vt, rows, cols);
}

static void put_utf8(struct buf *b, uint32_t c)
{
	char out[4];
	size_t n;

	if (c < 0x80) {
		out[0] = (char)c;
		n = 1;
	} else if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		n = 2;
	} else if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		n = 3;
	} else {
		out[0] = (char)(0xf0 | (c >> 18 & 7));
		out[1] = (char)(0x80 | (c >> 12 & 63));
		out[2] = (char)(0x80 | (c >> 6 & 63));
		out[3] = (char)(0x80 | (c & 63));
		n = 4;
	}
	buf_put(b, out, n);
}

static void put_color(struct buf *b, const VTermColor *c, int base)
{
	if (VTERM_COLOR_IS_DEFAULT_FG(c) || VTERM_COLOR_IS_DEFAULT_BG(c))
		return;
	if (VTERM_COLOR_IS_INDEXED(c))
		buf_printf(b, ";%d;5;%d", base + 8, c->indexed.idx);
	else
		buf_printf(b, ";%d;2;%d;%d;%d", base + 8, c->rgb.red,
			   c->rgb.green, c->rgb.blue);
}

static void put_attributes(struct buf *b, const VTermScreenCell *c)
{
	buf_puts(b, "\x1b[0");
	if (c->attrs.bold)
		buf_puts(b, ";1");
	if (c->attrs.italic)
		buf_puts(b, ";3");
	if (c->attrs.underline)
		buf_puts(b, ";4");
	if (c->attrs.blink)
		buf_puts(b, ";5");
	if (c->attrs.reverse)
		buf_puts(b, ";7");
	if (c->attrs.strike)
		buf_puts(b, ";9");
	put_color(b, &c->fg, 30);
	put_color(b, &c->bg, 40);
	buf_puts(b, "m");
}

static bool same_look(const VTermScreenCell *a, const VTermScreenCell *b)
{
	return !memcmp(&a->attrs, &b->attrs, sizeof(a->attrs)) &&
	       vterm_color_is_equal(&a->fg, &b->fg) &&
	       vterm_color_is_equal(&a->bg, &b->bg);
}

static void paint_row(struct screen *s, struct buf *out, int row, int cols,
		      VTermScreenCell *pen)
{
	for (VTermPos at = { row, 0 }; at.col < cols;) {
		VTermScreenCell c;

		vterm_screen_get_cell(s->screen, at, &c);
		if (!same_look(&c, pen)) {
			put_attributes(out, &c);
			*pen = c;
		}
		if (!c.chars[0] || c.chars[0] == (uint32_t)-1)
			buf_puts(out, " ");
		for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && c.chars[i] &&
				c.chars[i] != (uint32_t)-1;
		     i++)
			put_utf8(out, c.chars[i]);
		at.col += c.width > 1 ? c.width : 1;
	}
}

void screen_paint(struct screen *s, struct buf *out)
{
	VTermScreenCell pen;
	VTermPos cursor;
	int rows, cols;

	vterm_get_size(s->vt, &rows, &cols);
	/* soft reset, the right screen, clean, home */
	buf_printf(out, "\x1b[!p\x1b[?1049%c\x1b[0m\x1b[H\x1b[2J",
		   s->alternate ? 'h' : 'l');
	memset(&pen, 0, sizeof(pen));
	pen.fg.type = VTERM_COLOR_DEFAULT_FG;
	pen.bg.type = VTERM_COLOR_DEFAULT_BG;
	for (int row = 0; row < rows; row++) {
		buf_printf(out, "\x1b[%d;1H", row + 1);
		paint_row(s, out, row, cols, &pen);
	}
	vterm_state_get_cursorpos(vterm_obtain_state(s->vt), &cursor);
	buf_printf(out, "\x1b[0m\x1b[%d;%dH\x1b[?25%c", cursor.row + 1,
		   cursor.col + 1, s->cursor_visible ? 'h' : 'l');
	if (s->mouse)
		buf_printf(out, "\x1b[?%dh\x1b[?1006h",
			   s->mouse == 1   ? 1000
			   : s->mouse == 2 ? 1002
					   : 1003);
	buf_printf(out, "\x1b[?1%c\x1b[?2004%c",
		   s->modes & MODE_CURSOR_KEYS ? 'h' : 'l',
		   s->modes & MODE_BRACKETED ? 'h' : 'l');
}
