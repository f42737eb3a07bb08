// SPDX-License-Identifier: Apache-2.0
#include "portal/field.h"

#include <stdbool.h>
#include <string.h>

#include <json-c/json.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"
#include "agent/libve/json.h"
#include "portal/fault.h"
#include "portal/passwd.h"
#include "portal/token.h"
#include "portal/utf8.h"

static const char lower_name[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
static const char digits[] = "0123456789";
static const char amount[] = "0123456789KMGTkmgt: ";
static const char duration[] = "0123456789abcdefghijklmnopqrstuvwxyz:. ";
static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789-_";

/* What each name may hold, everywhere. */
static const struct rule {
	const char *name, *label;
	size_t min, max;
	const char *alphabet; /* NULL: any UTF-8 without control bytes */
} rules[] = {
	{ "action", "the action", 3, 16, lower_name },
	{ "archive_after", "the time of being stopped", 1, 40, duration },
	{ "block_len", "the block length", 0, 3, digits },
	{ "busy", "the share of a CPU", 1, 16, amount },
	{ "capacity", "the capacity", 1, 7, digits },
	{ "comment", "the name", 0, 100, NULL },
	{ "cpu_cap", "the cap of the CPU", 0, 16, amount },
	{ "cpu_weight", "the weight of the CPU", 0, 16, amount },
	{ "cpus", "the number of CPUs", 0, 16, amount },
	{ "csr", "the certificate request", 100, 2000,
	  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=" },
	{ "csrf", "the token", 0, 64, base64url },
	{ "dcachesize", "dcachesize", 0, 40, amount },
	{ "dgramrcvbuf", "dgramrcvbuf", 0, 40, amount },
	{ "disk", "the disk", 0, 16, amount },
	{ "down_ceil", "the ceiling downwards", 0, 16, amount },
	{ "down_rate", "the rate downwards", 0, 16, amount },
	{ "egress", "the way out", 0, 3, lower_name },
	{ "email", "the e-mail address", 3, 254, NULL },
	{ "exclude", "the exclusions", 0, 500, "0123456789abcdefABCDEF.:/ ," },
	{ "flow_burst", "the burst of flows", 0, 16, amount },
	{ "flow_rate", "the rate of flows", 0, 16, amount },
	{ "grace", "the grace", 1, 40, duration },
	{ "idle_after", "the time before sleep", 1, 40, duration },
	{ "io_weight", "the weight of the disk", 0, 16, amount },
	{ "key", "the ssh key", 20, 4000, NULL },
	{ "kmemsize", "kmemsize", 0, 40, amount },
	{ "lease_max", "the longest time of an address", 1, 40, duration },
	{ "life", "the time", 1, 40, duration },
	{ "link", "the link", TOKEN_TEXT - 1, TOKEN_TEXT - 1, base64url },
	{ "lockedpages", "lockedpages", 0, 40, amount },
	{ "memory", "the memory", 0, 16, amount },
	{ "name", "the name", 1, 63, lower_name },
	{ "node", "the node's name", 1, 31, lower_name },
	{ "numfile", "numfile", 0, 40, amount },
	{ "numflock", "numflock", 0, 40, amount },
	{ "numiptent", "numiptent", 0, 40, amount },
	{ "numothersock", "numothersock", 0, 40, amount },
	{ "numproc", "numproc", 0, 40, amount },
	{ "numpty", "numpty", 0, 40, amount },
	{ "numsiginfo", "numsiginfo", 0, 40, amount },
	{ "numtcpsock", "numtcpsock", 0, 40, amount },
	{ "oomguarpages", "oomguarpages", 0, 40, amount },
	{ "othersockbuf", "othersockbuf", 0, 40, amount },
	{ "password", "the password", 1, PASSWD_MAX, NULL },
	{ "physpages", "physpages", 0, 40, amount },
	{ "plan", "the plan's name", 1, 31, lower_name },
	{ "port", "the port", 0, 5, digits },
	{ "privvmpages", "privvmpages", 0, 40, amount },
	{ "processes", "the number of processes", 0, 16, amount },
	{ "range", "the range", 3, 49, "0123456789abcdefABCDEF.:/" },
	{ "shmpages", "shmpages", 0, 40, amount },
	{ "stop_after", "the time of sleep", 1, 40, duration },
	{ "swappages", "swappages", 0, 40, amount },
	{ "tcprcvbuf", "tcprcvbuf", 0, 40, amount },
	{ "tcpsndbuf", "tcpsndbuf", 0, 40, amount },
	{ "template", "the template", 1, 31, lower_name },
	{ "title", "the title", 0, 60, NULL },
	{ "up_ceil", "the ceiling upwards", 0, 16, amount },
	{ "up_rate", "the rate upwards", 0, 16, amount },
	{ "url", "the address", 9, 128, NULL },
	{ "vmguarpages", "vmguarpages", 0, 40, amount },
	{ "warn", "the time of warning", 1, 40, duration },
	{ "why", "the reason", 1, 2000, NULL },
};

static const struct rule *find_rule(const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strcmp(rules[i].name, name))
			return &rules[i];
	return NULL;
}

static int malformed(struct err *e, const char *why)
{
	return err_set(e, fault_code(FAULT_MALFORMED), "%s", why);
}

static int add(struct fields *f, const char *name, size_t name_len,
	       const char *value, size_t value_len, struct err *e)
{
	struct field *at;

	if (f->count == FIELDS_MAX)
		return malformed(e, "there are too many fields");
	if (memchr(value, 0, value_len) || memchr(name, 0, name_len))
		return malformed(e, "a field has a NUL byte");
	at = &f->list[f->count++];
	at->name = xasprintf("%.*s", (int)name_len, name);
	at->value = xasprintf("%.*s", (int)value_len, value);
	return 0;
}

static int hex(char c)
{
	const char *all = "0123456789abcdef0123456789ABCDEF";
	const char *p = c ? strchr(all, c) : NULL;

	return p ? (int)(p - all) % 16 : -1;
}

/* Decode %XX and + of @n bytes at @s. */
static int unescape(struct buf *out, const char *s, size_t n, struct err *e)
{
	buf_put(out, "", 0);
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < n ? hex(s[i + 1]) : -1;
			int low = i + 2 < n ? hex(s[i + 2]) : -1;

			if (high < 0 || low < 0)
				return malformed(e, "an escape is malformed");
			c = (char)(high * 16 + low);
			i += 2;
		}
		buf_put(out, &c, 1);
	}
	return 0;
}

static int take_pair(struct fields *f, const char *s, size_t n, struct err *e)
{
	_buf_ struct buf name = { 0 }, value = { 0 };
	const char *eq = memchr(s, '=', n);
	size_t name_len = eq ? (size_t)(eq - s) : n;
	int rc;

	rc = unescape(&name, s, name_len, e);
	if (!rc && eq)
		rc = unescape(&value, eq + 1, n - name_len - 1, e);
	if (rc)
		return rc;
	return add(f, name.data, name.len, value.data ? value.data : "",
		   value.len, e);
}

int fields_from_form(struct fields *f, const char *body, size_t n,
		     struct err *e)
{
	const char *end = body + n;
	int rc = 0;

	while (body < end && !rc) {
		const char *amp = memchr(body, '&', (size_t)(end - body));
		const char *stop = amp ? amp : end;

		if (stop > body)
			rc = take_pair(f, body, (size_t)(stop - body), e);
		body = stop + 1;
	}
	return rc;
}

int fields_from_json(struct fields *f, const char *body, size_t n,
		     struct err *e)
{
	struct err why = { 0 };
	_json_ struct json_object *tree = NULL;
	struct json_object_iterator at, end;
	int rc = 0;

	if (json_parse(&tree, body, n, n, &why))
		return err_set(e, fault_code(FAULT_MALFORMED),
			       "this is not JSON: %s", why.text);
	if (!json_object_is_type(tree, json_type_object))
		return malformed(e, "this is not a JSON object");
	at = json_object_iter_begin(tree);
	end = json_object_iter_end(tree);
	for (; !rc && !json_object_iter_equal(&at, &end);
	     json_object_iter_next(&at)) {
		struct json_object *v = json_object_iter_peek_value(&at);
		const char *name = json_object_iter_peek_name(&at);
		enum json_type type = json_object_get_type(v);
		const char *text;

		if (type != json_type_string && type != json_type_int)
			return malformed(e,
					 "a member is no string and no number");
		text = json_object_get_string(v);
		rc = add(f, name, strlen(name), text,
			 type == json_type_string
				 ? (size_t)json_object_get_string_len(v)
				 : strlen(text),
			 e);
	}
	return rc;
}

/* What was copied from a file ends as its lines do. */
static void trim(char *value)
{
	size_t n = strlen(value);

	while (n && strchr("\r\n\t ", value[n - 1]))
		value[--n] = '\0';
}

static int check_one(const struct rule *r, const char *value, struct err *e)
{
	size_t n = strlen(value);

	if (!utf8_is_clean(value))
		return err_set(e, fault_code(FAULT_MALFORMED),
			       "%s has control bytes or is not UTF-8",
			       r->label);
	if (n < r->min || n > r->max)
		return err_set(e, fault_code(FAULT_FIELD),
			       n < r->min ? "%s is missing or too short"
					  : "%s is too long",
			       r->label);
	if (r->alphabet && strspn(value, r->alphabet) != n)
		return err_set(e, fault_code(FAULT_FIELD), "%s is not valid",
			       r->label);
	return 0;
}

/* Whether @name is a word of @wanted. */
static bool is_wanted(const char *wanted, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = wanted; n && (s = strstr(s, name)); s += n)
		if ((s == wanted || s[-1] == ' ') &&
		    (!s[n] || strchr(" ?", s[n])))
			return true;
	return !strcmp(name, "csrf");
}

static bool has(const struct fields *f, const char *name, size_t n)
{
	for (size_t i = 0; i < f->count; i++)
		if (!strncmp(f->list[i].name, name, n) && !f->list[i].name[n])
			return true;
	return false;
}

int fields_check(const struct fields *f, const char *wanted, struct err *e)
{
	for (size_t i = 0; i < f->count; i++) {
		const char *name = f->list[i].name;
		const struct rule *r = find_rule(name);
		int rc;

		if (!r || !is_wanted(wanted, name))
			return err_set(e, fault_code(FAULT_FIELD),
				       "there is a field that nobody knows");
		for (size_t k = 0; k < i; k++)
			if (!strcmp(f->list[k].name, name))
				return malformed(e,
						 "a field stands there twice");
		if (!strcmp(name, "key"))
			trim(f->list[i].value);
		rc = check_one(r, f->list[i].value, e);
		if (rc)
			return rc;
	}
	for (const char *s = wanted; *s;) {
		size_t n = strcspn(s, " ?");

		if (s[n] != '?' && !has(f, s, n))
			return err_set(e, fault_code(FAULT_FIELD),
				       "%.*s is missing", (int)n, s);
		s += n;
		s += strspn(s, " ?");
	}
	return 0;
}

const char *fields_get(const struct fields *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->list[i].name, name))
			return f->list[i].value;
	return "";
}

void fields_fini(struct fields *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->list[i].name);
		/* passwords do not stay in freed memory */
		explicit_bzero(f->list[i].value, strlen(f->list[i].value));
		free(f->list[i].value);
	}
	f->count = 0;
}
