// Every verb's spec; one file each.
#pragma once

#include "fsd/cli/verb_spec.h"

namespace stela::fsd {

const VerbSpec& mount_verb();
const VerbSpec& umount_verb();
const VerbSpec& status_verb();
const VerbSpec& import_verb();
const VerbSpec& export_verb();
const VerbSpec& ls_verb();
const VerbSpec& bench_verb();
const VerbSpec& cat_verb();
const VerbSpec& stat_verb();
const VerbSpec& schema_verb();
const VerbSpec& log_verb();
const VerbSpec& tag_verb();
const VerbSpec& restore_verb();
const VerbSpec& check_verb();
const VerbSpec& compact_verb();
const VerbSpec& inspect_verb();
const VerbSpec& profile_verb();

}  // namespace stela::fsd
