// SPDX-License-Identifier: Apache-2.0
#include "portal/conf.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"
#include "portal/file.h"

#define KEY(name)                                  \
	{                                          \
#name, offsetof(struct conf, name) \
	}

static const struct key {
	const char *name;
	size_t offset;
} keys[] = {
	KEY(listen),	   KEY(tls_cert),     KEY(tls_key),
	KEY(public_url),   KEY(www),	      KEY(user),
	KEY(db),	   KEY(node_ca),      KEY(terminal_cert),
	KEY(terminal_key), KEY(control_cert), KEY(control_key),
	KEY(smtp_url),	   KEY(mail_from),    KEY(ssh_host),
	KEY(ssh_port),	   KEY(shell),	      KEY(node_ca_key),
	KEY(domain),	   KEY(dns_server),   KEY(dns_zone),
	KEY(dns_key),
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static char **slot(const struct conf *c, size_t i)
{
	return (char **)((char *)(uintptr_t)c + keys[i].offset);
}

static size_t find(const char *name)
{
	size_t i = 0;

	while (i < KEYS && strcmp(keys[i].name, name) != 0)
		i++;
	return i;
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n && strchr(" \t\r", s[n - 1]))
		s[--n] = '\0';
	return s;
}

static int take_line(struct conf *c, char *line, struct err *e)
{
	char *name = trim(line), *value;
	size_t i;

	if (!*name || *name == '#')
		return 0;
	value = name + strcspn(name, " \t");
	if (*value)
		*value++ = '\0';
	value = trim(value);
	i = find(name);
	if (i == KEYS)
		return err_set(e, -EINVAL, "unknown key %s", name);
	if (!*value)
		return err_set(e, -EINVAL, "%s has no value", name);
	if (*slot(c, i))
		return err_set(e, -EINVAL, "%s is set twice", name);
	*slot(c, i) = xstrdup(value);
	return 0;
}

int conf_read(struct conf *c, const char *path, struct err *e)
{
	_buf_ struct buf text = { 0 };
	char *line, *rest;
	int number = 0;
	int rc = file_read(path, 65536, &text, e);

	if (rc)
		return rc;
	rest = text.data;
	while ((line = strsep(&rest, "\n"))) {
		struct err why = { 0 };

		number++;
		rc = take_line(c, line, &why);
		if (rc)
			return err_set(e, rc, "%s:%d: %s", path, number,
				       why.text);
	}
	return 0;
}

void conf_fini(struct conf *c)
{
	for (size_t i = 0; i < KEYS; i++)
		free(*slot(c, i));
	*c = (struct conf){ 0 };
}

int conf_need(const struct conf *c, const char *path, const char *const *names,
	      struct err *e)
{
	for (; *names; names++)
		if (!*slot(c, find(*names)))
			return err_set(e, -EINVAL, "%s: '%s' is missing", path,
				       *names);
	return 0;
}
