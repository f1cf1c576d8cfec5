namespace Shop.KafkaBroker.Tests;

public sealed class ProtocolTests : IAsyncLifetime
{
    private EmbeddedKafka _kafka = null!;

    public async ValueTask InitializeAsync() => _kafka = await EmbeddedKafka.StartAsync(new() { AutoCreateTopics = false });

    public ValueTask DisposeAsync() => _kafka.DisposeAsync();

    [Fact]
    public async Task A_newer_ApiVersions_is_answered_in_version_0()
    {
        await using var client = await WireClient.ConnectAsync(_kafka.BootstrapServers);
        await client.SendOnlyAsync(ApiKey.ApiVersions, 4, w =>
        {
            w.String("client");
            w.String("1");
            w.TaggedFields();
        });
        var answer = await client.ReceiveAsync(ApiKey.ApiVersions, 0);

        Assert.Equal(ErrorCode.UnsupportedVersion, (ErrorCode)answer.Int16());
        Assert.Equal([((short)18, (short)0, (short)3)], answer.Array(6, r => (r.Int16(), r.Int16(), r.Int16())));
        Assert.Equal(0, answer.Remaining);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task Every_request_is_advertised(short version)
    {
        await using var client = await WireClient.ConnectAsync(_kafka.BootstrapServers);
        var answer = await client.SendAsync(ApiKey.ApiVersions, version, w =>
        {
            if (version < 3)
                return;
            w.String("client");
            w.String("1");
            w.TaggedFields();
        });
        answer.Int16();
        var apis = answer.Array(6, r =>
        {
            var api = ((ApiKey)r.Int16(), r.Int16(), r.Int16());
            r.TaggedFields();
            return api;
        });

        Assert.Contains((ApiKey.Produce, (short)0, (short)8), apis);
        Assert.Contains((ApiKey.JoinGroup, (short)0, (short)5), apis);
        Assert.Equal(ApiTable.Apis.Count, apis.Length);
    }

    [Theory]
    [InlineData(60, 0)] // DescribeCluster
    [InlineData(1, 99)] // Fetch, far too new
    public async Task An_unknown_request_closes_its_connection(short key, short version)
    {
        await using var client = await WireClient.ConnectAsync(_kafka.BootstrapServers);
        using var request = new ResponseWriter();
        request.Int32(10);
        request.Int16(key);
        request.Int16(version);
        request.Int32(1);
        request.String(null);
        await client.SendBytesAsync(request.Written);

        Assert.Null(await client.ReceiveFrameAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Requests_sent_together_are_answered_in_their_order()
    {
        await using var client = await WireClient.ConnectAsync(_kafka.BootstrapServers);
        var frames = Enumerable.Range(0, 50).SelectMany(i => WireClient.Frame(ApiKey.ApiVersions, 0, _ => { }, i)).ToArray();
        foreach (var part in frames.Chunk(7)) // and a frame arrives in whatever pieces the network makes of it
            await client.SendBytesAsync(part);
        for (var i = 0; i < 50; i++)
            Assert.Equal(i, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(await client.ReceiveFrameAsync(TimeSpan.FromMinutes(1))));
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(10, false)]
    public async Task A_client_that_leaves_while_it_waits_leaves_nothing_behind(int clients, bool fetch)
    {
        await using var kafka = await EmbeddedKafka.StartAsync(new() { MaxConnections = 5, DefaultPartitions = 1 }, TestContext.Current.CancellationToken);
        for (var i = 0; i < clients; i++)
        {
            await using var client = await ConnectAsync(kafka);
            await client.SendAsync(ApiKey.Metadata, 1, w => w.Array(["events"], (w, name) => w.String(name)));
            await client.SendOnlyAsync(fetch ? ApiKey.Fetch : ApiKey.JoinGroup, fetch ? (short)4 : (short)2, fetch ? Fetch : Join);
        }

        await (await ConnectAsync(kafka)).DisposeAsync();

        static void Fetch(ResponseWriter w)
        {
            w.Int32(-1);
            w.Int32(60_000);
            w.Int32(1);
            w.Int32(1000);
            w.Int8(0);
            w.ArrayLength(1);
            w.String("events");
            w.ArrayLength(1);
            w.Int32(0);
            w.Int64(0);
            w.Int32(1000);
        }

        static void Join(ResponseWriter w)
        {
            w.String("group");
            w.Int32(60_000);
            w.Int32(60_000);
            w.String("");
            w.String("consumer");
            w.ArrayLength(1);
            w.String("range");
            w.Bytes([]);
        }
    }

    [Fact]
    public async Task Topics_are_not_made_unless_both_sides_want_it()
    {
        await using var client = await WireClient.ConnectAsync(_kafka.BootstrapServers);
        var answer = await client.SendAsync(ApiKey.Metadata, 1, w => w.Array(["events"], (w, name) => w.String(name)));
        answer.Array(11, r => (r.Int32(), r.String(), r.Int32(), r.NullableString()));
        answer.Int32();

        Assert.Equal([ErrorCode.UnknownTopicOrPartition], answer.Array(9, r => ((ErrorCode)r.Int16(), r.String(), r.Boolean(), r.Int32()).Item1));
    }

    /// <summary>Connects, and tries again while the broker has not noticed yet that others have left.</summary>
    private static async Task<WireClient> ConnectAsync(EmbeddedKafka kafka)
    {
        for (var deadline = DateTime.UtcNow.AddMinutes(1); ; await Task.Delay(20, TestContext.Current.CancellationToken))
        {
            var client = await WireClient.ConnectAsync(kafka.BootstrapServers);
            try
            {
                await client.SendAsync(ApiKey.ApiVersions, 0, _ => { });
                return client;
            }
            catch (Exception refused) when (refused is IOException && DateTime.UtcNow < deadline)
            {
                await client.DisposeAsync();
            }
        }
    }
}
