// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/client.h"

#include <errno.h>
#include <string.h>

#include "agent/libve/clean.h"
#include "agent/libve/client_impl.h"

#define LINE_MAX_LEN 65536

/* An event stream being read (the format of the HTML standard, LF lines). */
struct follow {
	struct client *client;
	struct buf line, data;
	char id[64], event[32];
	bool stopped, too_long;
	int (*cb)(void *arg, const struct sse *ev);
	void *arg;
};

static void keep(char *out, size_t size, const char *value)
{
	size_t n = strlen(value);

	if (n < size)
		memcpy(out, value, n + 1);
}

static void end_event(struct follow *f)
{
	struct sse ev = { f->id, f->event[0] ? f->event : "message",
			  f->data.data };

	if (f->data.len && f->cb(f->arg, &ev))
		f->stopped = true;
	f->data.len = 0;
	f->event[0] = '\0';
}

static void take_line(struct follow *f, char *line)
{
	char *value = strchr(line, ':');

	if (!*line) {
		end_event(f);
		return;
	}
	if (!value || value == line)
		return; /* a comment, or a field without a value */
	*value++ = '\0';
	value += *value == ' ';
	if (!strcmp(line, "id"))
		keep(f->id, sizeof(f->id), value);
	else if (!strcmp(line, "event"))
		keep(f->event, sizeof(f->event), value);
	else if (!strcmp(line, "data"))
		buf_puts(&f->data, value);
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct follow *f = arg;
	long status = 0;

	curl_easy_getinfo(f->client->curl, CURLINFO_RESPONSE_CODE, &status);
	for (size_t i = 0; i < n && status == 200; i++) {
		if (data[i] != '\n') {
			buf_put(&f->line, data + i, 1);
		} else {
			buf_put(&f->line, "", 1);
			take_line(f, f->line.data);
			f->line.len = 0;
		}
		if (f->line.len > LINE_MAX_LEN || f->data.len > LINE_MAX_LEN)
			f->too_long = true;
		if (f->stopped || f->too_long)
			return 0;
	}
	return n;
}

static int on_progress(void *arg, curl_off_t dt, curl_off_t dn, curl_off_t ut,
		       curl_off_t un)
{
	struct follow *f = arg;

	if (!f->stopped && f->cb(f->arg, NULL))
		f->stopped = true;
	return f->stopped;
}

static int outcome(struct follow *f, CURLcode code, struct err *e)
{
	long status = 0;

	curl_easy_getinfo(f->client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (f->stopped)
		return 0;
	if (f->too_long)
		return err_set(e, -EMSGSIZE, "an event is too long");
	if (code != CURLE_OK)
		return client_failed(f->client, code, e);
	if (status != 200)
		return err_set(e, -EIO, "event stream answered with status %ld",
			       status);
	return err_set(e, -EPIPE, "the event stream ended");
}

int client_follow(struct client *c, const char *path, const char *last_id,
		  int (*cb)(void *arg, const struct sse *ev), void *arg,
		  struct err *e)
{
	struct follow f = { .client = c, .cb = cb, .arg = arg };
	struct curl_slist *headers = NULL;
	CURL *h = c->curl;
	int r;

	if (client_prepare(c, path, e) < 0)
		return -EINVAL;
	headers = curl_slist_append(NULL, "Accept: text/event-stream");
	if (last_id) {
		char *line _free_ = xasprintf("Last-Event-ID: %s", last_id);

		headers = curl_slist_append(headers, line);
	}
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, &f);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, &f);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, 60L);
	r = outcome(&f, curl_easy_perform(h), e);
	curl_slist_free_all(headers);
	buf_free(&f.line);
	buf_free(&f.data);
	return r;
}
