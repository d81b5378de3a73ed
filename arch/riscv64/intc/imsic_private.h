/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the IMSIC only. */
#ifndef AXVM_RISCV64_IMSIC_PRIVATE_H
#define AXVM_RISCV64_IMSIC_PRIVATE_H

#include "imsic.h"

/* The line to the hart becomes what the software file says; low while there is a hardware one. Any CPU. */
void axvm_imsic_settle(struct axvm_vcpu *vcpu);

#endif
