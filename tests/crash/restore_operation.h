// Random operations with restores of versions among them.
#pragma once

#include "tests/crash/store_model.h"

namespace stela::model {

// As random_operation(), or now and then the restoring of an older version of a dataset.
Operation any_operation(const Model& model, SeededRandom& random);

}  // namespace stela::model
