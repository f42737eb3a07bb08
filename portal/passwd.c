// SPDX-License-Identifier: Apache-2.0
#include "portal/passwd.h"

#include <errno.h>
#include <semaphore.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <argon2.h>

#include "agent/libve/log.h"

#define MEMORY 19456
#define PASSES 2
#define LANES 1
#define PREFIX "$argon2id$v=19$m=19456,t=2,p=1$"

static sem_t slots;
static char nobody[PASSWD_HASH];

void passwd_init(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct err e = { 0 };

	sem_init(&slots, 0, cpus > 0 ? (unsigned)cpus : 1);
	if (passwd_hash(nobody, "nobody has this password", &e))
		fatal("%s", e.text);
}

static void enter(void)
{
	while (sem_wait(&slots) && errno == EINTR)
		;
}

int passwd_hash(char out[static PASSWD_HASH], const char *password,
		struct err *e)
{
	uint8_t salt[16];
	int rc;

	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return err_sys(e, "no randomness");
	enter();
	rc = argon2id_hash_encoded(PASSES, MEMORY, LANES, password,
				   strlen(password), salt, sizeof(salt), 32,
				   out, PASSWD_HASH);
	sem_post(&slots);
	return rc == ARGON2_OK ? 0
			       : err_set(e, -ENOMEM, "argon2: %s",
					 argon2_error_message(rc));
}

bool passwd_verify(const char *hash, const char *password)
{
	int rc;

	enter();
	rc = argon2id_verify(hash ? hash : nobody, password, strlen(password));
	sem_post(&slots);
	return hash && rc == ARGON2_OK;
}

bool passwd_is_old(const char *hash)
{
	return strncmp(hash, PREFIX, strlen(PREFIX)) != 0;
}
