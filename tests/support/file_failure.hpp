// SPDX-License-Identifier: Apache-2.0
/// Why a reference to a file cannot be read.
#pragma once

#include <optional>
#include <string>

#include <qconn/base/error.hpp>
#include <qconn/core/file_resolver.hpp>

#include "support/catch.hpp"

namespace qconn::test {

/// Nothing where it can.
inline std::optional<Error> failure(const FileResolver& resolver, const std::string& reference, Deadline deadline = {}) {
    try {
        (void)resolver.read(reference, {}, deadline);
    } catch (const Error& error) {
        CHECK(error.name() == "FILE-REFERENCE-ERROR");
        UNSCOPED_INFO(error.what());
        return error;
    }
    return std::nullopt;
}

}  // namespace qconn::test
