// SPDX-License-Identifier: Apache-2.0
/// Bodies that are not held in memory.
#pragma once

#include <qconn/base/byte_stream.hpp>
#include <qconn/base/export.hpp>

namespace qconn {

struct HttpResponse;

/// Where the body of an answer with a status of 2xx goes, with content codings undone; that of any other stays in HttpResponse::body. Limits on the
/// size of bodies do not hold for it. A ByteSink without begin(), as function_sink makes them, is good for calls that are not tried again.
class QCONN_API HttpBodySink : public ByteSink {
public:
    /// An answer begins; may come more than once in a call, where it is tried again: what was written before is void then.
    /// @param head  its status and headers
    virtual void begin(const HttpResponse& head) = 0;
};

}  // namespace qconn
