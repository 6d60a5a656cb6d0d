// SPDX-License-Identifier: Apache-2.0
/// Content codings (RFC 9110 section 8.4): streaming decoders that stop at a limit, and encoders for request bodies.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qconn::http {

/// gzip, deflate, br, zstd, bzip2; x-gzip and x-bzip2 are read as what they mean.
bool is_known_coding(std::string_view name) noexcept;

/// Why decoding ended.
enum class CodingStatus {
    ok,
    broken,     ///< not of its coding, cut off, or followed by something else
    too_large,  ///< more than max_output
    expansion,  ///< grew beyond max_expansion
};

struct CodingLimits {
    /// Bytes after decoding.
    std::size_t max_output{std::size_t{256} * 1024 * 1024};
    /// Output per byte of input, looked at once the output is above expansion_floor.
    std::size_t max_expansion{200};
    std::size_t expansion_floor{std::size_t{1024} * 1024};
};

/// More codings on each other than this have no honest use.
inline constexpr std::size_t k_most_codings = 2;

/// Undoes one or two codings while the bytes arrive. The output of each of them, not of the last alone, never exceeds the limits by more than one
/// internal block: what lies between two codings costs time even where nothing of it is left at the end.
/// @note One thread at a time.
class Decoder {
public:
    /// @param codings  in the order they were applied, as in Content-Encoding; all of them known, at most k_most_codings
    /// @throws std::invalid_argument where there are more, or one is not known
    Decoder(const std::vector<std::string>& codings, CodingLimits limits);
    ~Decoder();
    Decoder(Decoder&&) noexcept;
    Decoder& operator=(Decoder&&) noexcept;

    /// Decodes `input` and appends to `out`.
    CodingStatus feed(std::string_view input, std::string& out);
    /// To be called at the end of the input. No input at all is an empty body.
    CodingStatus finish();
    /// What was wrong, in words, after `broken`.
    const std::string& problem() const noexcept { return problem_; }

    class Stage;

private:
    CodingStatus run(std::size_t stage, std::string_view input, std::string& out);

    std::vector<std::unique_ptr<Stage>> stages_;  // the last coding applied is undone first
    CodingLimits limits_;
    std::size_t received_{0};
    std::vector<std::size_t> produced_;  // by each stage
    std::string problem_;
};

/// Splits the value of Content-Encoding; "identity" and empty elements are left out, x- forms are normalised, all in lower case.
std::vector<std::string> parse_codings(std::string_view field);

/// @throws std::invalid_argument where the coding is not known, std::bad_alloc
std::string encode(std::string_view coding, std::string_view body);

}  // namespace qconn::http
