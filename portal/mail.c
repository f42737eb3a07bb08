// SPDX-License-Identifier: Apache-2.0
#include "portal/mail.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"

static size_t give(char *to, size_t size, size_t n, void *arg)
{
	struct buf *text = arg;

	n *= size;
	if (n > text->len)
		n = text->len;
	if (n)
		memcpy(to, text->data, n);
	buf_shift(text, n);
	return n;
}

/* What the server said last, and whether it had agreed to anything before. */
struct said {
	char line[200];
	bool agreed;
};

static size_t hear(char *data, size_t size, size_t n, void *arg)
{
	struct said *s = arg;

	n *= size;
	/* the answer to QUIT says nothing of what went before */
	if (n < 3 || !memcmp(data, "221", 3))
		return n;
	if (!memcmp(data, "250", 3))
		s->agreed = true;
	snprintf(s->line, sizeof(s->line), "%.*s", (int)n, data);
	s->line[strcspn(s->line, "\r\n")] = '\0';
	return n;
}

static int judge(CURLcode rc, const struct said *s, struct err *e)
{
	if (!rc)
		return 0;
	if (s->line[0] != '4' && s->line[0] != '5')
		return err_set(e, -EIO, "%s", curl_easy_strerror(rc));
	/* a 5xx to the greeting, TLS or log-in is the server's trouble */
	return err_set(e,
		       s->line[0] == '5' && s->agreed &&
				       rc != CURLE_LOGIN_DENIED ?
			       -ENOENT :
			       -EIO,
		       "the mail server said: %s", s->line);
}

/* Lines end with CR LF; the header has no line of the sender's making, because
 * the database keeps control bytes out of it. */
static void compose(struct buf *b, const char *from, const char *to,
		    const char *subject, const char *body)
{
	time_t now = time(NULL);
	struct tm tm;
	char date[64];

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000",
		 gmtime_r(&now, &tm));
	buf_printf(b, "Date: %s\r\nFrom: <%s>\r\nTo: <%s>\r\nSubject: %s\r\n",
		   date, from, to, subject);
	buf_puts(b, "MIME-Version: 1.0\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Auto-Submitted: auto-generated\r\n\r\n");
	for (; *body; body++) {
		if (*body == '\n')
			buf_puts(b, "\r");
		buf_put(b, body, 1);
	}
}

int mail_send(const char *smtp_url, const char *from, const char *to,
	      const char *subject, const char *body, struct err *e)
{
	struct curl_slist *list = curl_slist_append(NULL, to);
	_buf_ struct buf text = { 0 };
	struct said said = { 0 };
	CURL *c = curl_easy_init();
	CURLcode rc;

	compose(&text, from, to, subject, body);
	curl_easy_setopt(c, CURLOPT_URL, smtp_url);
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, list);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(c, CURLOPT_READDATA, &text);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, hear);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, &said);
	curl_easy_setopt(c, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 30L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	rc = curl_easy_perform(c);
	curl_slist_free_all(list);
	curl_easy_cleanup(c);
	return judge(rc, &said, e);
}
