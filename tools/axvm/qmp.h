/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's machine protocol, on a pair of sockets that nobody else can reach: how the tool learns
 * why a machine has ended [QMP].
 */
#ifndef AXVM_TOOL_QMP_H
#define AXVM_TOOL_QMP_H

#include "tool.h"

struct json_tokener;

struct axvm_tool_qmp {
	int ours;   /* to be polled for input; -1: at its end */
	int theirs; /* QEMU's end, until it has been started */
	struct json_tokener *tokener;
	char reason[32]; /* of the last SHUTDOWN event, "guest-reset" for example; "": none yet */
};

/*
 * Opens the pair and writes what QEMU shall do first: to report events and, with `go`, to let a
 * machine that was started with -S run. So no end can come before the reports. 0 or an errno value.
 */
int axvm_tool_qmp_open(struct axvm_tool_qmp *qmp, bool go);

/* QEMU has been started, or will not be: its end is not ours to hold. */
void axvm_tool_qmp_release(struct axvm_tool_qmp *qmp);

/* Takes what QEMU has written, without waiting for more. */
void axvm_tool_qmp_read(struct axvm_tool_qmp *qmp);

#endif
