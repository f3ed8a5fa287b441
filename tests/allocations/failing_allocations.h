// Allocations that fail as planned, in a binary that links failing_allocations.cc: those by new and of Buffer.
#pragma once

#include <cstdint>

namespace stela {

// The one after `left` more fails, of all threads together; those after it succeed.
void fail_allocation_after(int64_t left);
// Plans none; true when the planned one failed.
bool stop_failing_allocations();
// How many there were so far, of all threads.
uint64_t allocations_so_far();

}  // namespace stela
