// SPDX-License-Identifier: Apache-2.0
// The ways to files that need a client: http and https.
#include <qconn/core/file_resolver.hpp>

#include <utility>

#ifndef QCONN_WITHOUT_HTTP
#include <qconn/http/http_client.hpp>
#endif

namespace qconn {

namespace {

#ifndef QCONN_WITHOUT_HTTP
std::string get(const FileRequest& request, const TlsOptions& tls, const Runtime& runtime) {
    const std::string& url = request.reference;
    HttpOptions options;
    options.url = url.substr(0, url.find_first_of("/?#", url.find("://") + 3));
    options.tls = tls;
    options.max_body = request.max_size;
    options.max_idle = 0;
    HttpClient client{std::move(options), runtime};
    HttpRequest what;
    what.path = url.substr(0, url.find('#'));
    HttpResponse response = client.request(what, request.deadline);
    // Who may change what is read on the way must not get there by a redirect.
    if (reference_scheme(url) == "https" && !response.info.url.starts_with("https:"))
        throw make_error(Errc::invalid_argument, "the server led from https to http, which is not followed").with_reason(Reason::unsupported);
    return std::move(response.body);
}
#endif

}  // namespace

// Listed here for the same reason as the schemes.
FileResolver builtin_file_resolver(const FileLimits& limits, const TlsOptions& tls, const Runtime& runtime) {
    FileResolver resolver{limits};
#ifndef QCONN_WITHOUT_HTTP
    const FileWay way{"over HTTP", [tls, runtime](const FileRequest& request) { return get(request, tls, runtime); }};
    resolver.add("http", way);
    resolver.add("https", way);
#else
    static_cast<void>(tls);
    static_cast<void>(runtime);
#endif
    return resolver;
}

}  // namespace qconn
