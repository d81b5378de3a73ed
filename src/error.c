/* SPDX-License-Identifier: Apache-2.0 */
/* The names and sentences of the error codes, from the one table. */
#include <axvm/error.h>

const char *axvm_strerror(int error)
{
	switch (error) {
	case 0:
		return "success";
#define ERROR_TEXT(name, value, text) \
	case -(value):                \
		return text;
		AXVM_ERRORS(ERROR_TEXT)
#undef ERROR_TEXT
	default:
		return "unknown error";
	}
}

const char *axvm_error_name(int error)
{
	switch (error) {
	case 0:
		return "0";
#define ERROR_NAME(name, value, text) \
	case -(value):                \
		return "AXVM_" #name;
		AXVM_ERRORS(ERROR_NAME)
#undef ERROR_NAME
	default:
		return "?";
	}
}
