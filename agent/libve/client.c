// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "agent/libve/clean.h"
#include "agent/libve/client_impl.h"
#include "agent/libve/json.h"
#include "agent/libve/tls.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_ALL);
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

int client_open(struct client **out, const struct client_conf *conf,
		struct err *e)
{
	struct client *c;

	pthread_once(&once, init_curl);
	if (!conf->unix_path && (!conf->ca || strncmp(conf->base, "https:", 6)))
		return err_set(e, -EINVAL,
			       "an agent is spoken to by https with"
			       " an authority");
	c = xcalloc(1, sizeof(*c));
	c->curl = curl_easy_init();
	if (!c->curl) {
		free(c);
		return err_set(e, -ENOMEM, "libcurl did not start");
	}
	c->base = copy(conf->base);
	c->ca = copy(conf->ca);
	c->cert = copy(conf->cert);
	c->key = copy(conf->key);
	c->node = copy(conf->node);
	c->unix_path = copy(conf->unix_path);
	*out = c;
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	free(c->base);
	free(c->ca);
	free(c->cert);
	free(c->key);
	free(c->node);
	free(c->unix_path);
	free(c);
}

void reply_free(struct reply *r)
{
	buf_free(&r->body);
	*r = (struct reply){ 0 };
}

static CURLcode on_ctx(CURL *curl, void *ctx, void *arg)
{
	struct client *c = arg;

	return tls_client_rules(ctx, c->node, NULL) < 0
		       ? CURLE_SSL_CONNECT_ERROR
		       : CURLE_OK;
}

static void set_tls(struct client *c)
{
	CURL *h = c->curl;

	if (c->unix_path) {
		curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, c->unix_path);
		return;
	}
	curl_easy_setopt(h, CURLOPT_CAINFO, c->ca);
	curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
	if (c->cert) {
		curl_easy_setopt(h, CURLOPT_SSLCERT, c->cert);
		curl_easy_setopt(h, CURLOPT_SSLKEY, c->key);
	}
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	/* by the URI in the certificate (on_ctx), not by name */
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(h, CURLOPT_SSL_CTX_FUNCTION, on_ctx);
	curl_easy_setopt(h, CURLOPT_SSL_CTX_DATA, c);
}

int client_prepare(struct client *c, const char *path, struct err *e)
{
	char *url _free_ = xasprintf("%s%s", c->base, path);
	CURL *h = c->curl;

	if (path[0] != '/' || strpbrk(path, " \r\n"))
		return err_set(e, -EINVAL, "'%s' is no path", path);
	curl_easy_reset(h); /* keeps the connection */
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->why);
	c->why[0] = '\0';
	set_tls(c);
	return 0;
}

int client_failed(struct client *c, CURLcode code, struct err *e)
{
	const char *why = c->why[0] ? c->why : curl_easy_strerror(code);
	int r = -EIO;

	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		r = -ETIMEDOUT;
		break;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		r = -ECONNREFUSED;
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
		r = -EACCES;
		break;
	default:
		break;
	}
	return err_set(e, r, "agent at %s: %s",
		       c->unix_path ? c->unix_path : c->base, why);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct reply *r = arg;

	if (n > CLIENT_BODY_MAX - r->body.len)
		return 0;
	buf_put(&r->body, data, n);
	return n;
}

/* Copy the value of header @name, when the line is that one. */
static bool take_header(char *out, size_t size, const char *line, size_t len,
			const char *name)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) || line[n] != ':')
		return false;
	line += n + 1;
	len -= n + 1;
	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len && strchr(" \t\r\n", line[len - 1]))
		len--;
	if (len >= size)
		len = 0;
	memcpy(out, line, len);
	out[len] = '\0';
	return true;
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct reply *r = arg;
	char number[16];

	if (take_header(r->etag, sizeof(r->etag), line, n, "ETag") ||
	    take_header(r->location, sizeof(r->location), line, n, "Location"))
		return n;
	if (take_header(r->type, sizeof(r->type), line, n, "Content-Type"))
		r->type[strcspn(r->type, "; ")] = '\0';
	else if (take_header(number, sizeof(number), line, n, "Retry-After"))
		r->retry_after = strtol(number, NULL, 10);
	return n;
}

struct problem {
	char type[96], detail[240];
};

static const struct json_field problem_fields[] = {
	JSON_ROW_STRING("type", struct problem, type, 0, 0, 95),
	JSON_ROW_STRING("detail", struct problem, detail, 0, 0, 239),
	JSON_ROW_END,
};

static void read_problem(struct reply *r)
{
	static const char urn[] = "urn:vestibule:problem:";
	struct problem p = { 0 };

	if (strcmp(r->type, "application/problem+json") ||
	    json_decode(r->body.data, r->body.len, CLIENT_BODY_MAX,
			problem_fields, &p, false, NULL) < 0)
		return;
	if (!strncmp(p.type, urn, sizeof(urn) - 1) &&
	    strlen(p.type) - sizeof(urn) + 1 < sizeof(r->problem))
		strcpy(r->problem, p.type + sizeof(urn) - 1);
	memcpy(r->detail, p.detail, sizeof(r->detail));
}

static struct curl_slist *headers_of(const struct call *call)
{
	struct curl_slist *list = NULL;

	for (size_t i = 0; call->headers && call->headers[i]; i++)
		list = curl_slist_append(list, call->headers[i]);
	if (call->body)
		list = curl_slist_append(list,
					 "Content-Type: application/json");
	return curl_slist_append(list, "Expect:");
}

int client_call(struct client *c, const struct call *call, struct reply *r,
		struct err *e)
{
	struct curl_slist *headers;
	CURL *h = c->curl;
	CURLcode code;

	reply_free(r);
	if (client_prepare(c, call->path, e) < 0)
		return -EINVAL;
	headers = headers_of(call);
	curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, call->method);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	if (call->body) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, call->body);
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)call->len);
	}
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS,
			 call->timeout_ms ? call->timeout_ms : 30000L);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, r);
	code = curl_easy_perform(h);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return client_failed(c, code, e);
	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &r->status);
	if (r->status >= 400)
		read_problem(r);
	return 0;
}
