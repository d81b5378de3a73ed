/* SPDX-License-Identifier: Apache-2.0 */
/* What the build may tell tests/unit/toml_suite.c: the root of the source tree, as a string. */
#ifndef AXVM_TESTS_TOML_SUITE_H
#define AXVM_TESTS_TOML_SUITE_H

#ifndef AXVM_SOURCE_ROOT
#define AXVM_SOURCE_ROOT ""
#endif

#endif
