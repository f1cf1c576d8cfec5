using System.IO.Pipelines;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Activity.Tests.Hosting;
using Shop.Activity.Warehouse;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Tests.Warehouse;

/// <summary>A storage that says nothing, or nothing more.</summary>
public sealed class SilentStorageTests(ShopFixture shops)
{
    private static readonly WarehouseFile Begun = new("orders", 0, new(2026, 11, 30, 6, 0, 0, TimeSpan.Zero), 0, 3);

    [Fact]
    public async Task A_storage_that_stops_in_the_middle_of_a_file_is_not_waited_for()
    {
        using var storage = new SilentStorage();
        await using var database = NpgsqlDataSource.Create("Host=127.0.0.1");
        var warehouse = WarehouseIn(storage, database);

        var failure = await Assert.ThrowsAsync<TimeoutException>(() => warehouse.OpenAsync(Begun, TestContext.Current.CancellationToken));
        Assert.Contains(Begun.Path, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_storage_that_answers_nothing_to_a_file_or_to_what_is_there_is_not_waited_for()
    {
        using var storage = new SilentStorage();
        await using var database = await shops.MigratedAsync();
        var warehouse = WarehouseIn(storage, database);

        await Assert.ThrowsAsync<TimeoutException>(() => warehouse.WriteAsync(Begun, Begun.First, _ => Task.CompletedTask, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<TimeoutException>(() => warehouse.RecoverAsync(TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<TimeoutException>(() => warehouse.SupersedeAsync(Begun.Topic, DateTimeOffset.UtcNow, TestContext.Current.CancellationToken));
        // what somebody may be sending still is what others send
        Assert.Equal(Begun, Assert.Single(await warehouse.BegunAsync(TestContext.Current.CancellationToken)).Value);
    }

    private static S3Warehouse WarehouseIn(IAmazonS3 storage, NpgsqlDataSource database) =>
        new(storage, database, Options.Create(new WarehouseOptions { S3 = new() { Bucket = "warehouse" } }), new HurriedTime());

    /// <summary>It answers nothing but a file's headers, whatever becomes of the one who asks.</summary>
    private sealed class SilentStorage() : AmazonS3Client(new AnonymousAWSCredentials(), RegionEndpoint.USEast1)
    {
        public override Task<GetObjectResponse> GetObjectAsync(string bucketName, string key, CancellationToken cancellationToken = default) =>
            Task.FromResult(new GetObjectResponse { ResponseStream = new Pipe().Reader.AsStream() });

        public override Task<PutObjectResponse> PutObjectAsync(PutObjectRequest request, CancellationToken cancellationToken = default) => new TaskCompletionSource<PutObjectResponse>().Task;

        public override Task<ListObjectsV2Response> ListObjectsV2Async(ListObjectsV2Request request, CancellationToken cancellationToken = default) => new TaskCompletionSource<ListObjectsV2Response>().Task;
    }

    /// <summary>Whatever is waited for is over at once.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
