// The one place that includes libfuse and fixes the version of its interface.
#pragma once

#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>
