/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_SERVE_H
#define VE_PORTAL_SERVE_H

/* From a request that has been read to its answer; runs in a worker. */
struct db;
struct request;

/* Who is it, may they, is it from our own page, are the fields right; then the
 * route's handler.  The answer is filled when it returns. */
void serve_request(struct db *db, struct request *r);

#endif
