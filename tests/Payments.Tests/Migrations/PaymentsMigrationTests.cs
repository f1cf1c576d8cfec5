using Shop.Testing;

namespace Shop.Payments.Tests.Migrations;

public sealed class PaymentsMigrationTests(PostgresFixture postgres) : MigrationTests(new PaymentsDbFactory(), postgres.CreateDatabaseAsync);
