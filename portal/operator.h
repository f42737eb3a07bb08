/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_OPERATOR_H
#define VE_PORTAL_OPERATOR_H

/*
 * Make the account of an operator, as someone who may (role ve_admin, through
 * @conninfo), and print its first password once on standard output.  An account
 * that is there stays as it is.  Returns the program's exit status.
 */
int operator_create(const char *email, const char *conninfo);

#endif
