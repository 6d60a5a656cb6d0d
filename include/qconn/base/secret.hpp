// SPDX-License-Identifier: Apache-2.0
/// Text that must not be seen: passwords, tokens, key pass-phrases.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>

#include <qconn/base/export.hpp>

namespace qconn {

/// What stands in the place of a secret in every text that qconn makes.
inline constexpr std::string_view k_masked = "<masked>";

/// Text that is wiped from memory when it goes and never printed. A value type.
/// There is no conversion to a string: reading it is spelled `reveal()`, so that a search finds every place.
class QCONN_API Secret {
public:
    Secret() noexcept = default;
    /// Copies the text; wiping the source is the caller's affair.
    explicit Secret(std::string_view text);
    Secret(const Secret& other);
    Secret(Secret&& other) noexcept;
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret();

    /// The text itself. The view lives as long as this object is not changed. Zero-terminated.
    std::string_view reveal() const noexcept { return {data_ ? data_ : "", size_}; }
    bool empty() const noexcept { return size_ == 0; }

    /// Takes the same time wherever two texts of one length differ.
    QCONN_API friend bool operator==(const Secret& a, const Secret& b) noexcept;

private:
    void wipe() noexcept;

    char* data_{nullptr};
    std::size_t size_{0};
};

/// Prints k_masked, also for an empty secret.
QCONN_API std::ostream& operator<<(std::ostream& out, const Secret& secret);

/// Overwrites the text's bytes so that the compiler cannot leave it out, then empties it.
QCONN_API void wipe(std::string& text) noexcept;

}  // namespace qconn
