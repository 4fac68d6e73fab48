import django.db.models.deletion
from django.db import migrations, models

import muster.catalog.models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0003_unset_consents'),
    ]

    operations = [
        migrations.CreateModel(
            name='AppKey',
            fields=[
                ('id', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(unique=True)),
                ('kind', models.CharField(choices=[('publishable', 'publishable'), ('server', 'server')], max_length=12)),
                ('scopes', models.JSONField(default=muster.catalog.models._texts)),
                ('digest', models.CharField(max_length=32, unique=True)),
                ('text', models.CharField(blank=True, default='', max_length=64)),
                ('created_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('app', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='keys', to='catalog.app')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
    ]
