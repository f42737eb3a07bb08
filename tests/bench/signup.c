// SPDX-License-Identifier: Apache-2.0
/*
 * Sign-ups per second through a portal, beside a bare Argon2id loop with the
 * portal's parameters on the same cores, in turns.  A client is a visitor after
 * another on a kept connection: the form, then the filled form.
 *
 *   bench_signup URL CA-FILE CLIENTS ROUNDS SECONDS    one sample a line
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <argon2.h>
#include <curl/curl.h>

#define LEAD_MS 500 /* until the load is steady */

struct page {
	char text[16384];
	size_t len;
};

static const char *url, *ca;
static atomic_bool ending;
static atomic_ulong done, failed, visitors;

static void pause_ms(long ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t take(char *data, size_t size, size_t n, void *arg)
{
	struct page *p = arg;

	n *= size;
	if (p->len + n < sizeof(p->text)) {
		memcpy(p->text + p->len, data, n);
		p->len += n;
		p->text[p->len] = '\0';
	}
	return n;
}

static long visit(CURL *c, struct page *p, const char *form)
{
	long status = 0;

	p->len = 0;
	if (form)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, form);
	else
		curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	if (!curl_easy_perform(c))
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool sign_up(CURL *c, struct page *p)
{
	static const char mark[] = "name=\"csrf\" value=\"";
	char form[512], *csrf;

	curl_easy_setopt(c, CURLOPT_COOKIELIST, "ALL");
	if (visit(c, p, NULL) != 200)
		return false;
	csrf = strstr(p->text, mark);
	if (!csrf)
		return false;
	csrf += sizeof(mark) - 1;
	snprintf(form, sizeof(form),
		 "csrf=%.*s&email=v%lu.%d%%40example.net&template=tiny&"
		 "password=correct+horse",
		 (int)strcspn(csrf, "\""), csrf, atomic_fetch_add(&visitors, 1),
		 (int)getpid());
	return visit(c, p, form) == 303;
}

static void *client(void *arg)
{
	struct page *p = calloc(1, sizeof(*p));
	CURL *c = curl_easy_init();

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CAINFO, ca);
	curl_easy_setopt(c, CURLOPT_COOKIEFILE, "");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, p);
	while (!ending)
		atomic_fetch_add(sign_up(c, p) ? &done : &failed, 1);
	curl_easy_cleanup(c);
	free(p);
	return NULL;
}

static void *hash(void *arg)
{
	char out[128];

	while (!ending) {
		if (argon2id_hash_encoded(2, 19456, 1, "correct horse", 13,
					  "sixteen bytes...", 16, 32, out,
					  sizeof(out)))
			atomic_fetch_add(&failed, 1);
		atomic_fetch_add(&done, 1);
	}
	return NULL;
}

/* What @n threads get done in a second, once they are all at it. */
static double rate(void *(*fn)(void *), long n, long seconds)
{
	pthread_t t[256];
	unsigned long before;
	double since, per;

	ending = false;
	for (long i = 0; i < n; i++)
		if (pthread_create(&t[i], NULL, fn, NULL))
			exit(1);
	pause_ms(LEAD_MS);
	before = done;
	since = now();
	pause_ms(seconds * 1000);
	per = (double)(done - before) / (now() - since);
	ending = true;
	for (long i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	return per;
}

int main(int argc, char **argv)
{
	long clients, rounds, seconds, cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (argc != 6)
		return 2;
	url = argv[1];
	ca = argv[2];
	clients = atol(argv[3]);
	rounds = atol(argv[4]);
	seconds = atol(argv[5]);
	if (clients < 1 || clients > 256)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	for (long i = 0; i < rounds && !failed; i++) {
		printf("rate native vestibule 1/s %.2f\n",
		       rate(client, clients, seconds));
		printf("rate native argon2id 1/s %.2f\n",
		       rate(hash, cpus, seconds));
	}
	if (failed)
		puts("rate native vestibule 1/s error a sign-up has failed");
	return failed != 0;
}
