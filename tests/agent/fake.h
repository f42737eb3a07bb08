/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_TESTS_AGENT_FAKE_H
#define VE_TESTS_AGENT_FAKE_H

/* What the files of the played kernel know of each other. */
const char *fake_dir(void);
/* Of a VE's process, held ones too; 0: it is none of ours. */
int fake_pid(int fd);

#endif
