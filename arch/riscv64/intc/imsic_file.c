// SPDX-License-Identifier: Apache-2.0
/*
 * Hardware interrupt files in place of the software one. A vCPU keeps its file while it is not bound, so
 * that MSIs reach it and wake it; it gets another one when it is bound elsewhere. Three ways lead to a
 * file: the guest's stores through its mapped page, axvm_imsic_send, and wires that the host's APLIC
 * sends there. Before a file is given back each is led away from it, to the software file; what came
 * until then is in the file's contents, which follow [AIA 6.1.2].
 */
#include <axvm/hal_riscv64.h>

#include "aplic.h"
#include "arch.h"
#include "imsic_private.h"

static struct axvm_gpa page_of(const struct axvm_vcpu *vcpu)
{
	return axvm_gpa(vcpu->vm->arch.imsic_base + vcpu->index * AXVM_PAGE_BYTES);
}

/* Without memory for a table the guest's stores trap, and are sent on. */
static void map(struct axvm_vcpu *vcpu, struct axvm_hpa page)
{
	struct axvm_vm *vm = vcpu->vm;

	axvm_lock_take(&vm->lock);
	vcpu->arch.imsic.is_mapped =
		axvm_aspace_map(&vm->aspace, page_of(vcpu), page, AXVM_PAGE_BYTES,
				AXVM_MAP_READ | AXVM_MAP_WRITE | AXVM_MAP_DEVICE) == 0;
	axvm_lock_drop(&vm->lock);
}

static void unmap(struct axvm_vcpu *vcpu)
{
	struct axvm_vm *vm = vcpu->vm;

	axvm_lock_take(&vm->lock);
	/* There are fewer files than pages in a block, and none beside them is mapped to a file. */
	if (vcpu->arch.imsic.is_mapped &&
	    axvm_aspace_unmap(&vm->aspace, page_of(vcpu), AXVM_PAGE_BYTES) != 0)
		axvm_hal_panic(__FILE__, __LINE__, "an interrupt file has become part of a block");
	vcpu->arch.imsic.is_mapped = false;
	axvm_lock_drop(&vm->lock);
}

/* From here on nobody sends to where the file was. Senders neither wait nor are interrupted. */
static void move_to(struct axvm_vcpu *vcpu, uint32_t cpu, uint32_t number)
{
	struct axvm_imsic_file *file = &vcpu->arch.imsic;

	vcpu->arch.guest_file = number;
	atomic_store_explicit(&file->place, number == 0 ? 0 : cpu << 16 | number,
			      memory_order_seq_cst);
	/* acquire: pairs with the release in send_to_hardware */
	while (atomic_load_explicit(&file->senders, memory_order_acquire) != 0)
		;
	if (vcpu->vm->arch.aplic != NULL)
		axvm_aplic_file_moved(vcpu->vm->arch.aplic, vcpu);
}

static void give_back(struct axvm_vcpu *vcpu, bool keep_contents)
{
	uint32_t cpu;
	uint32_t number;

	if (!axvm_imsic_place(&vcpu->arch.imsic, &cpu, &number))
		return;
	unmap(vcpu);
	move_to(vcpu, 0, 0);
	if (keep_contents)
		axvm_hal_riscv64_guest_file_store(vcpu, cpu, number);
	axvm_hal_riscv64_guest_file_put(vcpu, number, cpu);
}

static void take(struct axvm_vcpu *vcpu, uint32_t cpu)
{
	struct axvm_hpa page;
	uint32_t number = axvm_hal_riscv64_guest_file_get(vcpu, &page);

	if (number == 0)
		return;
	move_to(vcpu, cpu, number);
	axvm_hal_riscv64_guest_file_load(vcpu, number);
	/* What pended is there now; a store brings it back, and nobody adds to it here. */
	for (uint32_t word = 0; word < AXVM_IMSIC_WORDS; word++)
		atomic_store_explicit(&vcpu->arch.imsic.pending[word], 0, memory_order_relaxed);
	axvm_imsic_settle(vcpu);
	map(vcpu, page);
}

void axvm_imsic_bound(struct axvm_vcpu *vcpu)
{
	uint32_t this_cpu = axvm_hal_cpu_id();
	uint32_t cpu;
	uint32_t number;

	if (!vcpu->vm->arch.has_imsic || axvm_hal_riscv64_host()->guest_files == 0)
		return;
	if (axvm_imsic_place(&vcpu->arch.imsic, &cpu, &number)) {
		if (cpu == this_cpu)
			return;
		give_back(vcpu, true);
		axvm_imsic_settle(vcpu);
	}
	take(vcpu, this_cpu);
}

void axvm_imsic_fini(struct axvm_vcpu *vcpu)
{
	give_back(vcpu, false);
}
