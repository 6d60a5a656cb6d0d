// SPDX-License-Identifier: Apache-2.0
/// Where `qconn secrets extract` moves secrets to.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <qconn/base/secret.hpp>
#include <qconn/core/edit.hpp>
#include <qconn/core/scheme.hpp>

namespace qconn::cli {

/// What one secret becomes.
struct Moved {
    std::string connection;
    std::string where;
    std::string reference;
    /// Of a variable, a file, or an entry.
    std::string name;
    Secret value;
};

/// Where secrets go.
class Target {
public:
    Target() = default;
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;
    virtual ~Target() = default;

    /// Takes the secret out of the definition, or puts a reference in its place, and fills in both names of `moved`.
    /// @returns why it has to stay; empty: it need not
    virtual std::string take(Moved& moved, Definition& definition, const LiteralSecret& secret, const Scheme* scheme) = 0;
    /// Writes them, so that they can be tried out. Gone again with this object unless it is kept.
    virtual void write(const std::vector<Moved>& secrets) = 0;
    virtual void keep() noexcept = 0;
    /// For trying out: what a definition is to those who use it.
    virtual Definition in_use(Definition definition, const Catalogue&) const { return definition; }
    virtual void make_known(Catalogue&) const {}
    /// Behind "moved".
    virtual std::string told() const = 0;
};

/// @param to      "env:FILE", "file:DIR", "overlay:FILE", or "overlay" for the file of secrets of this run
/// @param overlay that file; may be empty
/// @throws UsageError, NotFound; Error where a file of secrets cannot be used
std::unique_ptr<Target> make_target(const std::string& to, const std::string& overlay);

}  // namespace qconn::cli
