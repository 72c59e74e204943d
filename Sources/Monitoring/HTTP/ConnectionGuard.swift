import NIOCore

/// Watches one connection: a client that does not ask, or does not read what it asked for, is cut
/// off, and at the server's end nobody is waited for long.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = Any
    typealias InboundOut = Any
    typealias OutboundIn = Any
    typealias OutboundOut = Any

    /// Until the first request is whole.
    private static let requestLimit = TimeAmount.seconds(10)
    /// Without a byte being taken of what waits to be sent.
    private static let readLimit = 10
    /// At the server's end, for what is being answered.
    private static let endLimit = TimeAmount.seconds(1)

    private let roster: ConnectionRoster
    private var hasAsked = false
    /// Bytes that waited at the last look, and how many looks they have not become fewer.
    private var waiting = 0
    private var stuckLooks = 0
    private var isLooking = false

    init(_ roster: ConnectionRoster) { self.roster = roster }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        roster.joined(context.channel)
        let channel = context.channel
        channel.eventLoop.assumeIsolated().scheduleTask(in: Self.requestLimit) { [weak self] in
            if self?.hasAsked == false { channel.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        roster.left(context.channel)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasAsked = true
        roster.spoke(context.channel)
        context.fireChannelRead(data)
    }

    func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        roster.spoke(context.channel)
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        guard !isLooking, Self.waiting(context.channel) > 0 else { return }
        isLooking = true
        waiting = .max
        stuckLooks = 0
        look(context.channel)
    }

    /// Once a second while something waits to be sent.
    private func look(_ channel: any Channel) {
        channel.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
            guard let self else { return }
            let now = Self.waiting(channel)
            guard now > 0, channel.isActive else { return self.isLooking = false }
            self.stuckLooks = now < self.waiting ? 0 : self.stuckLooks + 1
            self.waiting = now
            if self.stuckLooks >= Self.readLimit { return channel.close(promise: nil) }
            self.look(channel)
        }
    }

    private static func waiting(_ channel: any Channel) -> Int {
        // A channel that is closed has nothing waiting.
        (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            let channel = context.channel
            channel.eventLoop.assumeIsolated().scheduleTask(in: Self.endLimit) {
                channel.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }
}
