// SPDX-License-Identifier: Apache-2.0
/// A mail taken apart: what ParsedMail and MailPart look into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/mail/parsed_mail.hpp>

namespace qconn::mail {

inline constexpr std::size_t k_no_node = static_cast<std::size_t>(-1);

enum class MimeKind : std::uint8_t {
    leaf,
    multipart,
    message,
    fields,  ///< groups of fields with an empty line between (message/delivery-status)
};

struct MimeNode {
    MimeKind kind{MimeKind::leaf};
    bool encoded{false};  ///< its transfer encoding counts
    std::size_t depth{0};
    std::size_t parent{k_no_node};
    std::size_t first_child{k_no_node};
    std::size_t last_child{k_no_node};
    std::size_t next{k_no_node};
    // Bytes:
    std::size_t begin{0};
    std::size_t body{0};
    std::size_t end{0};
    std::size_t preamble_end{0};    ///< of a multipart
    std::size_t epilogue_begin{0};  ///< likewise
    // In MimeTree::fields:
    std::size_t first_field{0};
    std::size_t field_count{0};
    std::string type;      ///< lower case
    std::string encoding;  ///< likewise
};

/// Never moved once it is made: fields are views into its bytes.
struct MimeTree {
    std::string bytes;
    std::vector<MimeNode> nodes;  ///< each before those that it holds
    std::vector<MailHeader> fields;
    std::vector<MailDefect> defects;

    /// Null: there is none.
    const MailHeader* field(const MimeNode& node, std::string_view name) const noexcept;
};

/// Fills a tree that has nothing but bytes.
void scan(MimeTree& tree, const MailLimits& limits);

}  // namespace qconn::mail
