// SPDX-License-Identifier: Apache-2.0
/// The inside of a SecretOverlay: a file that is read when it is needed, and again when it has changed.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/core/secret_overlay.hpp>

#include "core/known_files.hpp"
#include "core/overlay_text.hpp"

namespace qconn {

/// @note Thread-safe. `current` never waits for a file.
class SecretOverlay::State {
public:
    explicit State(std::string path) : path_{std::move(path)} {}

    const std::string& path() const noexcept { return path_; }
    /// What was read last; where that could not be used, what was before, with the problems of now. Never null.
    std::shared_ptr<const core::OverlayText> current() const;
    /// The same, read anew where the file has changed.
    std::shared_ptr<const core::OverlayText> fresh();
    /// Different for each reading.
    std::uint64_t generation() const;

private:
    core::OverlayText read(std::optional<core::FileStamp>& stamp) const;

    const std::string path_;
    std::mutex read_mutex_;                 // held while the file is read
    std::optional<core::FileStamp> stamp_;  // guarded by read_mutex_
    mutable std::mutex mutex_;              // guards what follows
    std::shared_ptr<const core::OverlayText> text_{std::make_shared<const core::OverlayText>()};
    std::uint64_t generation_{0};
};

namespace core {

/// The prefix of the references.
inline constexpr std::string_view k_overlay_prefix = "local";
/// `${local:password}`
std::string overlay_reference(std::string_view key);
/// The key of a text that is such a reference and nothing else; empty: it is none.
std::string_view overlay_key(std::string_view text) noexcept;
/// Where a definition's references to the file have their entries: "password" -> "FILE:LINE".
Map overlay_origins(const Definition& definition, const SecretOverlay::State& overlay);

}  // namespace core

}  // namespace qconn
