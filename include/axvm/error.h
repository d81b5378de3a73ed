/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: 0 or a negative AXVM_E*. One table makes the codes, their names and
 * their sentences, so that they cannot disagree.
 */
#ifndef AXVM_ERROR_H
#define AXVM_ERROR_H

#define AXVM_MUST_USE __attribute__((warn_unused_result))

/* X(name, value, what the caller should understand) */
#define AXVM_ERRORS(X)                                                                  \
	X(EINVAL, 1, "an argument is outside of what the function accepts")             \
	X(ENOMEM, 2, "no memory left, in the host or in the VM's budget")               \
	X(ESTATE, 3, "not allowed in the object's present state")                       \
	X(EEXIST, 4, "overlaps or repeats something that exists")                       \
	X(ENOENT, 5, "no such object")                                                  \
	X(EBUSY, 6, "in use by another owner")                                          \
	X(ERANGE, 7, "outside of the address range or the capacity")                    \
	X(EUNSUPPORTED, 8, "this CPU or this build cannot do it")                       \
	X(EFORMAT, 9, "malformed input: configuration, image, device tree or bundle")   \
	X(EFAULT, 10, "a guest address that is not backed by memory with these rights") \
	X(EPERM, 11, "refused by the configuration")                                    \
	X(EIO, 12, "the device or the firmware failed")

enum axvm_error {
#define AXVM_ERROR_CODE(name, value, text) AXVM_##name = -(value),
	AXVM_ERRORS(AXVM_ERROR_CODE)
#undef AXVM_ERROR_CODE
};

/*
 * The sentence for a code, without a full stop; "success" for 0, "unknown
 * error" for anything else. Static storage. Any context.
 */
const char *axvm_strerror(int error);

/* The code's name, "AXVM_EINVAL"; "0" for 0; "?" for anything else. Static storage. */
const char *axvm_error_name(int error);

#endif
