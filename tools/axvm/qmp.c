// SPDX-License-Identifier: Apache-2.0
/* One JSON object after the other; all but SHUTDOWN events is passed over. */
#include "qmp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <json-c/json.h>

#define REPORT "{\"execute\":\"qmp_capabilities\"}\n"
#define GO "{\"execute\":\"cont\"}\n"

/* The socket is empty and its buffer larger, so this does not wait. */
static bool say(int socket, const char *text)
{
	return send(socket, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

int axvm_tool_qmp_open(struct axvm_tool_qmp *qmp, bool go)
{
	int pair[2];

	*qmp = (struct axvm_tool_qmp){ .ours = -1, .theirs = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	qmp->ours = pair[0];
	qmp->theirs = pair[1];
	qmp->tokener = json_tokener_new();
	if (!qmp->tokener)
		return ENOMEM;
	return say(qmp->ours, REPORT) && (!go || say(qmp->ours, GO)) ? 0 : EIO;
}

void axvm_tool_qmp_release(struct axvm_tool_qmp *qmp)
{
	if (qmp->theirs >= 0)
		close(qmp->theirs);
	qmp->theirs = -1;
}

static void close_ours(struct axvm_tool_qmp *qmp)
{
	close(qmp->ours);
	json_tokener_free(qmp->tokener);
	qmp->ours = -1;
	qmp->tokener = NULL;
}

static const char *string_in(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

static void take_object(struct axvm_tool_qmp *qmp, struct json_object *object)
{
	struct json_object *data;

	if (strcmp(string_in(object, "event"), "SHUTDOWN") == 0 &&
	    json_object_object_get_ex(object, "data", &data))
		snprintf(qmp->reason, sizeof(qmp->reason), "%s", string_in(data, "reason"));
}

/* False: that was no JSON. */
static bool take(struct axvm_tool_qmp *qmp, const char *text, size_t bytes)
{
	while (bytes > 0) {
		struct json_object *object = json_tokener_parse_ex(qmp->tokener, text, (int)bytes);
		const enum json_tokener_error error = json_tokener_get_error(qmp->tokener);
		const size_t taken = json_tokener_get_parse_end(qmp->tokener);

		if (error == json_tokener_continue)
			return true;
		if (error != json_tokener_success || taken == 0)
			return false;
		take_object(qmp, object);
		json_object_put(object);
		text += taken;
		bytes -= taken;
	}
	return true;
}

void axvm_tool_qmp_read(struct axvm_tool_qmp *qmp)
{
	char text[4096];

	while (qmp->ours >= 0) {
		const ssize_t bytes = recv(qmp->ours, text, sizeof(text), MSG_DONTWAIT);

		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes < 0 && errno == EAGAIN)
			return;
		/* The end may be told as ECONNRESET: QEMU need not have read our last byte. */
		if (bytes <= 0 || !take(qmp, text, (size_t)bytes))
			close_ours(qmp);
	}
}
